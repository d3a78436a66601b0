import { expect, test } from 'vitest';
import { isNeighbour, profileOfKernel } from '../../machines/profile.ts';

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

test.each([
  ['6.1.0-56-amd64', false],
  ['6.12.107+deb13', false],
  ['7.3.4-oracle', false],
  ['6.8.0-45-generic', true],
  ['5.19.17', true],
  ['7.2.13', true],
  ['5.14.0-427.13.1.el9_4.x86_64', true],
  ['6.12.0-55.9.1.el10_0.x86_64', true],
  ['5.10.0', false],
  ['unknown', false],
])('kernel %s is judged as a neighbour: %s', (release, isJudgedSo) => {
  expect(isNeighbour(release)).toBe(isJudgedSo);
});

test('RHEL 9 is judged by the rules that its later updates have', () => {
  expect(profileOfKernel('5.14.0-427.13.1.el9_4.x86_64')).toBe('linux-6.12');
  expect(profileOfKernel('5.14.0-1-generic')).toBeNull();
});
