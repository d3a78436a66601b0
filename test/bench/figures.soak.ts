/** Every figure is measured, if only on a short log. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../log/folder.ts';
import { bench, benchFolder } from './bench.ts';

const dir = temporaryFolder();

const files = () =>
  ['results.md', 'cost.svg'].map((name) => {
    const isThere = readdirSync(benchFolder).includes(name);
    return isThere ? readFileSync(join(benchFolder, name), 'utf8') : null;
  });

test('each figure is a row beside its peer or its limit, and no file is left behind', () => {
  const before = files();
  const [heading, ...rows] = bench(dir).trimEnd().split('\n');
  expect(heading).toMatch(/^figure +events +ours +beside +peer +ratio +target$/);
  const verdict = '(reached|missed)$';
  for (const row of [
    `^operations simulated on one core .* the limit +100000/s .* ${verdict}`,
    `^durable append, one at a time .* ${verdict}`,
    `^64 concurrent durable appends .* ${verdict}`,
    `^lines of strace imported on one core .* the limit +300000/s .* ${verdict}`,
    '^lines of strace imported on one core .* a bare split into lines .*/s',
    "^events judged for the first time .* XState's transition\\(\\) for the tables .*/s",
    '^events judged for the first time .* an XState actor for each machine .*/s',
    `^start of table on a small log, from the package, CPU time .* a bare Node .* ${verdict}`,
    '^start of table on a small log, from the checkout, CPU time .* a bare Node .* ms',
    `^cold open and table, with the start of node +2k .* the limit +0.5 s .* ${verdict}`,
    '^cold open and table +2k .* the full replay .* s ',
    `^the table at a random position, p99 +2k .* ms .* the limit +1 ms .* ${verdict}`,
    `^a group's owner at a random position, p99 +2k .* the limit +1 ms .* ${verdict}`,
    `^why an attempt was refused, p99 +2k .* the limit +1 ms .* ${verdict}`,
    `^why an attempt .* as a multiple of that at 200 +2k .*x +the limit +1.2x .* ${verdict}`,
    '^events replayed from segments +2k .* a bare fold over typed arrays to the same table .*/s',
    '^events replayed, segments read from files +2k .* a fold over JSON lines .*/s',
    '^events replayed, segments read from files +2k .* a fold over rows of node:sqlite .*/s',
    `^verify of the busy host +2k .* rows read, hashed and parsed .* s .*<= 25 +${verdict}`,
    `^verify of the busy host, as a multiple of that at 200 +2k .* the limit +11.2x .* ${verdict}`,
    `^verify of a recording, repeated +2k .* hashed and parsed .* s .*<= 10 +${verdict}`,
    `^verify of an event with 4096 groups, .* that with 64 .* the limit +1.52x .* ${verdict}`,
    `^verify of an event with 4096 devices, .* the limit +1.52x .* ${verdict}`,
    `^verify of an event with 4096 processes, .* the limit +1.52x .* ${verdict}`,
    `^memory at most, on the first opening +2k .* the limit +1000 MB .* ${verdict}`,
    `^memory at most, while answering +2k .* the limit +600 MB .* ${verdict}`,
    `^memory at most, while answering as the command line +2k .* the limit +400 MB .* ${verdict}`,
  ]) {
    expect(rows).toContainEqual(expect.stringMatching(row));
  }
  expect(readdirSync(dir)).toEqual([]);
  // Only a full run leaves a page and a chart.
  expect(files()).toEqual(before);
});
