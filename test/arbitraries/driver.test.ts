/**
 * A property test of a small driver finds every fault that is put into it, with a counterexample that
 * `simulate` plays to the same end.
 */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { openLedger } from '../../ledger.ts';
import type { Past } from '../../ledger/questions.ts';
import type { Placed } from '../../events/vocabulary.ts';
import { run } from '../cli/program.ts';
import { temporaryFolder } from '../log/folder.ts';
import { countOf } from '../support/effort.ts';
import { driverProperty } from './driver-commands.ts';
import { faults, type Fault } from './small-driver.ts';

const folder = temporaryFolder();
const MOST_OPERATIONS = 8;
const seeds = fc.sample(
  fc.integer(),
  countOf('seeds of faulty drivers', { test: 1, soak: 30, full: 60 }),
);

const keptFolders = new Set<string>();
afterAll(() => {
  for (const kept of keptFolders) rmSync(kept, { recursive: true, force: true });
});

/** The counterexample of a driver with a fault: its host, and what fast-check prints. */
function counterexample(fault: Fault, seed: number) {
  const details = fc.check(driverProperty(fault), { seed, numRuns: 2000 });
  const [found] = details.counterexample ?? [];
  const report = fc.defaultReportMessage(details) ?? '';
  const [, printed = ''] = /Counterexample: \[\n([^]*?)\n\]/.exec(report) ?? [];
  const [, kept = ''] = /npx vfio-ledger log --log (.*)/.exec(printed) ?? [];
  keptFolders.add(dirname(kept));
  return { host: found?.host, printed, report, kept };
}

const operationsIn = (printed: string) =>
  printed.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

/** The end of a history: its table and its last refusal, without the names of processes. */
function endOf(past: Past<Placed>) {
  const last = past.log({ refused: true }).at(-1);
  const { at: _, ...table } = past.at('end').table();
  const end = { table, last: last && [last.position, last.data] };
  return JSON.parse(JSON.stringify(end).replaceAll(/"comm":"\w+"/g, '"comm":""')) as unknown;
}

test('the driver without a fault holds no file that it does not know of', () => {
  const numRuns = countOf('runs of the driver', { test: 60, soak: 5000 });
  fc.assert(driverProperty(null), { numRuns });
});

describe.each(faults)('a driver that %s', (fault) => {
  test('is found out with any seed, in a few operations', async () => {
    for (const seed of seeds) {
      const { host, printed, report } = counterexample(fault, seed);
      expect(host, `seed ${seed}`).toBeDefined();
      const lines = operationsIn(printed);
      expect(lines.length, report).toBeGreaterThan(0);
      expect(lines.length, report).toBeLessThanOrEqual(MOST_OPERATIONS);
      await using ledger = await openLedger(':memory:');
      const { profile, topology } = host!;
      await ledger.simulate(printed, { profile, topology });
      expect(endOf(ledger)).toEqual(endOf(host!.ledger));
    }
  });

  test('prints commands that play it to the same end, and open its log', async () => {
    const { host, printed, kept } = counterexample(fault, seeds[0] ?? 0);
    const [, simulate = ''] = /npx vfio-ledger (simulate .*)/.exec(printed) ?? [];
    const played = join(folder, `${faults.indexOf(fault)}.ledger`);
    const { code, err } = await run([...simulate.split(' '), '--log', played]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const path of [played, kept]) {
      await using ledger = await openLedger(path, { readOnly: true, derived: false });
      expect(endOf(ledger)).toEqual(endOf(host!.ledger));
    }
    expect(dirname(kept)).toMatch(/vfio-ledger-kept-\w+$/);
  });
});
