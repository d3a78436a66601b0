import { expect, test } from 'vitest';
import { profileOfKernel } from '../../machines/profile.ts';

test.each([
  ['6.1.0-56-amd64', 'linux-6.1'],
  ['6.5.13', 'linux-6.1'],
  ['6.6.0', 'linux-6.12'],
  ['6.12.107+deb13', 'linux-6.12'],
  ['6.18.1', 'linux-6.12'],
  ['7.2.13', 'linux-7.3'],
  ['7.3.4-oracle', 'linux-7.3'],
  ['5.10.0', null],
  ['FreeBSD', null],
])('a log of kernel %s is judged by %s', (release, profile) => {
  expect(profileOfKernel(release)).toBe(profile);
});
