/**
 * CONTRIBUTING.md, "Adding an operation": where a hunk of its diff is left out it is noticed, by the
 * compiler or by a law.
 *
 * @module
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from '../cli/program.ts';
import { temporaryFolder } from '../log/folder.ts';
import { inCampaigns, isCampaign } from '../support/effort.ts';
import { cannotPlay, Example } from './example.ts';

const example = new Example('Adding an operation');
const { steps } = example;
const OWN = 'diff of-its-own';
const TODAY = 'diff of-today';

const programIn = (words: string) => [
  ...new Set(
    example
      .hunks(words)
      .map(({ path }) => path)
      .filter((path) => path.endsWith('.ts') && !/^(?:test|conformance|bench)\//.test(path)),
  ),
];

/** By hunk, who notices that it is left out: tsc, or a test by its file and name. */
const noticedBy: Readonly<Record<string, string>> = {
  'events/operations.ts: mark: v.strictObject({ pid, fd, mark: shown(number) }),': 'tsc',
  'events/upcasters.ts: // Schema 8 knows VFIO_DEVICE_MARK.':
    'test/log/schema.test.ts: the shapes of a schema are not changed: what is new is a schema of its own',
  "events/vocabulary.ts: 'device.marked': v.strictObject({ pid, fd, mark: shown(number) }),": 'tsc',
  "operations/device.ts: | 'mark'": 'tsc',
  'operations/device.ts: mark: {': 'tsc',
  "machines/operations/reset.ts: const MARK = 'vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_mark';":
    'tsc',
  "machines/operations/reset.ts: export const resetOperations: OperationTable<'reset' | 'mark' | 'hot_reset_info' | 'hot_reset'> = {":
    'tsc',
  'machines/operations/reset.ts: mark: {': 'tsc',
  "machines/device.ts: | { readonly type: 'device.attached' | 'device.detached' | 'device.reset' | 'device.marked' }":
    'tsc',
  "machines/device.ts: 'device.marked': 'open',":
    'test/what-if.test.ts: what the rules let pass machines take, by its group',
  "machines/device.ts: 'device.marked': 'bound',":
    'test/what-if.test.ts: what the rules let pass machines take, by its cdev',
  "machines/device.ts: case 'device.marked':": 'tsc',
  "words/events.ts: 'device.marked': (data, name) =>": 'tsc',
  'FORMAT.md: | 8 | `device.marked`, and the operation `mark` |':
    'test/docs/format.test.ts: every schema has its row',
  'conformance/reasons.ts: {':
    'test/conformance/report.test.ts: the report > says why of everything that no kernel has confirmed',
  'test/operations/rows.test.ts: mark: fc.option(number),':
    'test/operations/rows.test.ts: mark > an event that records it fits the vocabulary, and gives the call back',
  "test/support/machine-events.ts: { type: 'device.marked' },":
    'test/machines/table-agrees.test.ts: the alphabet of device is whole',
  "test/support/brute-force-replay.ts: 'device.marked': nothing,": 'tsc',
  'test/what-if.test.ts: mark: { pid, fd, mark: object },': 'tsc',
};

/** Each takes a run of the compiler, or of a law. */
const seldom = isCampaign ? Object.entries(noticedBy) : [];

/** What the compiler and the formatter say of the copy. */
const compile = () => example.tool('tsc', '--incremental', '--tsBuildInfoFile', 'tsc.json');
async function isWellFormed(words: string): Promise<void> {
  const paths = new Set(example.hunks(words).map(({ path }) => path));
  const checks = [compile(), example.tool('oxfmt', '--check', ...paths)];
  for (const { code, out } of await Promise.all(checks)) {
    expect({ code, out }).toMatchObject({ code: 0 });
  }
}

/** Gives null where `who` does not notice what the copy lacks. */
async function complaint(who: string): Promise<string | null> {
  if (who === 'tsc') return (await compile()).code === 0 ? null : who;
  // Where the compiler notices, no law would have to.
  if (isCampaign) expect(await compile()).toMatchObject({ code: 0 });
  const [file = '', name = ''] = who.split(/: (.*)/);
  const results = await example.results([file], `^${name}$`);
  expect(results.map((result) => result.test)).toEqual([who]);
  return results.every(({ status }) => status === 'failed') ? who : null;
}

/** It takes ten programs: somebody who changes a transcript waits for it, and a campaign. */
const isPlayed = isCampaign || process.env['UPDATE_TRANSCRIPTS'] !== undefined;

/** Laws that the example has to keep. */
const laws = [
  'test/operations',
  'test/events',
  'test/log/schema.test.ts',
  'test/machines',
  'test/docs/format.test.ts',
  'test/what-if.test.ts',
];

test('changes seven files of the program, or four where the event is one of today', () => {
  expect(programIn(OWN)).toHaveLength(7);
  expect(programIn(TODAY)).toHaveLength(4);
  for (const path of [...programIn(OWN), ...programIn(TODAY)]) {
    expect(existsSync(join(root, path))).toBe(true);
  }
});

test('of every hunk it is said who notices', () => {
  expect(example.hunks(OWN).map(({ name }) => name)).toEqual(Object.keys(noticedBy));
});

test.skipIf(cannotPlay).each([OWN, TODAY])('the %s finds its places', async (words) => {
  const patch = join(temporaryFolder(), 'patch');
  writeFileSync(patch, example.block(words));
  expect(await example.inShell(`git apply --check '${patch}'`, root)).toMatchObject({ code: 0 });
});

describe.skipIf(cannotPlay).each(isPlayed ? ['played'] : [])(
  'who adds an operation as it says, %s',
  () => {
    const turn = steps.findIndex(({ command }) => command.includes(TODAY));
    const [define] = steps;
    const printed: string[] = [];

    beforeAll(async () => {
      example.copySources();
      printed.push(...(await example.play(steps.slice(0, turn))));
    });

    test.each(inCampaigns)('keeps the compiler and the formatter content, %s', () =>
      isWellFormed(OWN),
    );

    test.each(inCampaigns)('keeps the laws, %s', async () => {
      const results = await example.results(laws);
      expect(results.filter(({ status }) => status === 'failed')).toEqual([]);
      const own = results.filter(({ test }) => /: mark > |schema 8/.test(test));
      expect(own.length).toBeGreaterThan(4);
    });

    test.each(seldom)('is told where this is left out: %s', async (name, who) => {
      const { patch } = example.hunks(OWN).find((hunk) => hunk.name === name) ?? { patch: '' };
      writeFileSync(join(example.folder, 'hunk.patch'), patch);
      expect(await example.inShell('git apply -R hunk.patch')).toMatchObject({ code: 0, out: '' });
      try {
        expect(await complaint(who)).toBe(who);
      } finally {
        expect(await example.inShell('git apply hunk.patch')).toMatchObject({ code: 0, out: '' });
      }
      if (isCampaign) process.stdout.write(`campaign operation-hunks: ${name}: ${who}\n`);
    });

    test('with an event of today it works as well', async () => {
      const played = await example.play([...(define ? [define] : []), ...steps.slice(turn)]);
      printed.push(...played.slice(1));
      if (isCampaign) await isWellFormed(TODAY);
    });

    test.each(inCampaigns)('and so is the law of rows, %s', async () => {
      const results = await example.results(['test/operations/rows.test.ts']);
      expect(results.filter(({ status }) => status === 'failed')).toEqual([]);
      expect(results.filter(({ test }) => test.includes(': clone > '))).toHaveLength(3);
    });

    test('every command prints what is shown below it', () => {
      expect(steps.length).toBeGreaterThan(20);
      const played = steps.map(({ command }, index) => ({ command, shown: printed[index] }));
      if (process.env['UPDATE_TRANSCRIPTS'] === undefined) expect(played).toEqual(steps);
      else example.keep(printed);
    });
  },
);
