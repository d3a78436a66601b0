import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../log/folder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dir = temporaryFolder();

function bench(...args: string[]): string {
  const words = ['bench/main.ts', '--quick', '--dir', dir, ...args];
  return execFileSync(process.execPath, words, { cwd: root, encoding: 'utf8' });
}

test('each figure is a row beside its peer, and no file is left behind', () => {
  const [heading, ...rows] = bench().trimEnd().split('\n');
  expect(heading).toMatch(/^figure +ours\/s +beside +peer\/s +ratio +target$/);
  expect(rows).toEqual([
    expect.stringMatching(
      /^operations simulated on one core .* the limit +100000 .* (reached|missed)$/,
    ),
    expect.stringMatching(/^durable append, one at a time .* (reached|missed)$/),
    expect.stringMatching(/^64 concurrent durable appends .* (reached|missed)$/),
  ]);
  expect(readdirSync(dir)).toEqual([]);
}, 60_000);

test('as JSON it is one value', () => {
  const spread = { median: expect.any(Number), min: expect.any(Number), max: expect.any(Number) };
  expect(JSON.parse(bench('--json'))).toMatchObject([
    { target: 1, ours: spread, peer: spread, ratio: expect.any(Number) },
    { target: 0.9, ours: spread, peer: spread, ratio: expect.any(Number) },
    { target: 0.7, ours: spread, peer: spread, ratio: expect.any(Number) },
  ]);
}, 60_000);
