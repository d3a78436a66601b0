import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bootProfiles, isNeighbour, knownReleases, profileOfKernel } from '../../machines/eras.ts';
import { kernels } from '../../machines/profile.ts';
import { recordings, textOf } from '../support/truth.ts';

const root = new URL('../../', import.meta.url);
const firstOf = (text: string) =>
  JSON.parse(text.slice(0, text.indexOf('\n'))) as {
    readonly topology: { readonly kernel: string };
  };
const releaseIn = (kernel: string) => /^\d+\.\d+/.exec(kernel)?.[0];

test.each([
  ['5.4.0-200-generic', 'linux-5.10'],
  ['5.10.0', 'linux-5.10'],
  ['5.15.85', 'linux-5.10'],
  ['5.19.17', 'linux-6.1'],
  ['6.1.0-56-amd64', 'linux-6.1'],
  ['6.5.13', 'linux-6.1'],
  ['6.6.0', 'linux-6.12'],
  ['6.12.107+deb13', 'linux-6.12'],
  ['6.18.1', 'linux-6.12'],
  ['7.2.13', 'linux-7.3'],
  ['7.3.4-oracle', 'linux-7.3'],
  ['7.9.1', 'linux-7.3'],
  ['5.3.18', null],
  ['4.18.0-553.el8_10.x86_64', null],
  ['FreeBSD', null],
])('a log of kernel %s is judged by %s', (release, profile) => {
  expect(profileOfKernel(release)).toBe(profile);
});

test.each([
  ['5.10.0', false],
  ['6.1.0-56-amd64', false],
  ['6.12.107+deb13', false],
  ['7.3.4-oracle', false],
  ['5.15.0-91-generic', true],
  ['6.8.0-45-generic', true],
  ['5.19.17', true],
  ['7.2.13', true],
  ['5.14.0-427.13.1.el9_4.x86_64', true],
  ['6.12.0-55.9.1.el10_0.x86_64', true],
  ['5.3.18', false],
  ['unknown', false],
])('kernel %s is judged as a neighbour: %s', (release, isJudgedSo) => {
  expect(isNeighbour(release)).toBe(isJudgedSo);
});

test('a kernel of RHEL may have the rules of any kernel, whatever its number', () => {
  expect(profileOfKernel('5.14.0-427.13.1.el9_4.x86_64')).toBe('linux-6.12');
  expect(bootProfiles('5.14.0-427.13.1.el9_4.x86_64', null, false)).toEqual(kernels);
  expect(bootProfiles('6.12.0-55.9.1.el10_0.x86_64', null, false)).toEqual(kernels);
  expect(profileOfKernel('5.14.0-1-generic')).toBe('linux-5.10');
});

test('a release between two profiles may have the rules of both', () => {
  expect(bootProfiles('6.3.2', null, false)).toEqual(['linux-6.1', 'linux-6.12']);
  expect(bootProfiles('6.17.0', null, false)).toEqual(['linux-6.12', 'linux-7.3']);
  expect(bootProfiles('6.8.0', null, false)).toEqual(['linux-6.12']);
  expect(bootProfiles('6.3.2', 'linux-6.1', false)).toEqual(['linux-6.1']);
});

test('every release from 5.4 to 7.3 has a row, in order', () => {
  const of = (major: number, from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, at) => `${major}.${from + at}`);
  const names = knownReleases().map(({ release }) => release);
  expect(names).toEqual([...of(5, 4, 19), ...of(6, 0, 19), ...of(7, 0, 3)]);
});

test('a release counts as run if the project has recordings of it, and only then', () => {
  const asked = recordings().map(([profile, name]) => [
    `test/truth/${profile}`,
    releaseIn(firstOf(textOf(profile, name)).topology.kernel),
  ]);
  const run = knownReleases().filter(({ by }) => by === 'run');
  const pairs = run.map(({ how, release }) => `${how} ${release}`);
  expect(new Set(asked.map((pair) => pair.join(' ')))).toEqual(new Set(pairs));
  for (const { how } of run) {
    expect(
      existsSync(new URL(how ?? '', root)) && readdirSync(new URL(how ?? '', root)),
    ).not.toEqual([]);
  }
});

test('a release whose source was read names a file of that release; a reported one names none', () => {
  for (const { release, by, how } of knownReleases()) {
    if (by === 'source') expect(how).toMatch(new RegExp(`^${release}\\.\\d+ .*\\.c$`));
    if (by === 'reported') expect(how).toBeNull();
  }
});
