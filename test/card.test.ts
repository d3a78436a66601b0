/** What the project is to be made of, whoever moves its files. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

test.each([
  'package.json',
  'tsconfig.json',
  'machines',
  'events',
  'projections',
  'test',
  'README.md',
])('%s is at the top', (name) => {
  expect(existsSync(join(root, name))).toBe(true);
});

test.each([
  ['xstate', 'dependencies'],
  ['typescript', 'devDependencies'],
  ['vitest', 'devDependencies'],
] as const)('%s is among the %s', (name, kind) => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    typeof kind,
    Record<string, string>
  >;
  expect(Object.keys(manifest[kind])).toContain(name);
});
