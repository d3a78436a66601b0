import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { optionsFrom } from '../../conformance/options.ts';
import { sequencesIn } from '../../conformance/questions.ts';
import { summaryLines, summaryOf } from '../../conformance/summary.ts';
import { trial } from '../../conformance/trial.ts';
import type { Guest } from '../../conformance/guest.ts';
import { pretended } from './guest.ts';

const folder = mkdtempSync(join(tmpdir(), 'vfio-ledger-questions-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(...lines: readonly string[]): string {
  const path = join(folder, 'asked');
  writeFileSync(path, lines.join('\n'));
  return path;
}

const topology = '{"topology":{}}';

test('the operations of a recording are asked anew', () => {
  const path = file(
    topology,
    '{"seq":"a","n":0,"p":"-","op":"spawn P2","rc":0}',
    '{"seq":"a","n":1,"p":"P2","op":"open_iommufd I","rc":3}',
    '',
    '{"seq":"b","n":0,"p":"bg","op":"set_driver d0 none ms=5","rc":0,"pending":true}',
  );
  const asked = sequencesIn(path).map(({ name, operations }) => [
    name,
    ...operations.map(({ process, text }) => `@${process} ${text}`),
  ]);
  expect(asked).toEqual([
    ['a', '@P1 spawn P2', '@P2 open_iommufd I'],
    ['b', '@P1 set_driver d0 none ms=5'],
  ]);
});

test.each([
  ['{"seq":', 'not JSON'],
  ['null', 'not a JSON object'],
  ['{"p":"P1","op":"open_iommufd I"}', 'seq'],
  ['{"seq":"a b","p":"P1","op":"open_iommufd I"}', 'seq'],
  ['{"seq":"a","p":"P9","op":"open_iommufd I"}', 'p: '],
  ['{"seq":"a","p":"P1","op":7}', 'op: '],
  ['{"seq":"a","p":"P1","op":"fly away"}', "unknown operation 'fly'"],
  ['{"seq":"a","p":"P1","op":"seq b"}', "'seq b' is no operation"],
])('%s is refused with its line', (line, reason) => {
  const path = file(topology, '', line);
  const refused = expect.objectContaining({
    name: 'UsageError',
    message: expect.stringContaining(`${path}:3: `) as string,
  }) as Error;
  expect(() => sequencesIn(path)).toThrow(refused);
  expect(() => sequencesIn(path)).toThrow(reason);
});

test.each([[''], ['seq a\n# nothing'], [topology]])('%j is nothing to ask', (text) => {
  expect(() => sequencesIn(file(text))).toThrow('nothing to ask');
});

test('every kind of disagreement is named, shrunk or not', async () => {
  const honest = pretended('linux-7.3');
  const guest: Guest = {
    ...honest,
    async perform(sequence) {
      const answers = await honest.perform(sequence);
      return answers.map((answer) => ({ ...answer, rc: -1, errno: 'EIO' }));
    },
  };
  const asked = ['open_iommufd I', 'open_container C', 'open_cdev A d0', 'spawn P2'];
  const lines = [...asked, 'spawn P3'].flatMap((line, index) => [`seq s${index}`, line]);
  const sequences = sequencesIn(file(...lines));
  const outcome = await trial(
    sequences,
    () => [],
    guest,
    'linux-7.3',
    () => {},
  );
  const options = optionsFrom(['--profile', 'linux-7.3']);
  if (typeof options === 'string' || !('profile' in options)) throw new Error('another request');
  const summary = summaryOf(outcome, guest, options);
  expect(summary).toMatchObject({ disagreements: 5 });
  expect(summary.shrunk).toHaveLength(3);
  expect(summary.kinds.map(({ operation, times }) => [operation, times])).toEqual([
    ['spawn', 2],
    ['open_iommufd', 1],
    ['open_container', 1],
    ['open_cdev', 1],
  ]);
  expect(summary.kinds[0]).toMatchObject({ kernel: 'EIO', ours: 'ok', sequence: 's3' });
  const text = summaryLines(outcome, guest, options, 1);
  const others = text.slice(text.indexOf('other disagreements, not shrunk:') + 1, -2);
  expect(others).toEqual(['  spawn: the kernel says EIO, we say ok (2 ×, first in s3)']);
});
