/**
 * Spoiled evidence: whatever it is, it is read or rejected. `mutate.ts` does more of the same.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { openLedger } from '../../ledger.ts';
import { countOf } from '../support/effort.ts';
import { importMutated } from './mutate.ts';
import { mutated } from './mutations.ts';

const COUNT = countOf('pieces of spoiled evidence', {
  test: 600,
  soak: 6000,
  full: 1_000_000,
});

/** What the program keeps, in megabytes. */
function kept(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** More than tables and caches take once they are warm. */
const MOST_KEPT = 48;

test(`of ${COUNT} pieces of spoiled evidence none does more than be rejected`, async () => {
  const total = { read: 0, rejected: 0, events: 0, turnedDown: 0 };
  let before = Infinity;
  for (let seed = 1; seed <= COUNT; seed++) {
    if (seed === Math.ceil(COUNT / 10)) before = kept();
    const { read, rejected, events, isTurnedDown } = await importMutated(seed);
    total.read += read;
    total.rejected += rejected;
    total.events += events;
    total.turnedDown += Number(isTurnedDown);
  }
  expect(kept() - before).toBeLessThan(MOST_KEPT);
  expect(total.rejected).toBeGreaterThan(COUNT / 10);
  expect(total.read).toBeGreaterThan(5 * total.rejected);
  expect(total.events).toBeGreaterThan(COUNT);
  expect(total.turnedDown).toBeLessThan(COUNT / 4);
});

test('a number stands for the same piece', () => {
  for (const seed of [1, 77, 123_456]) expect(mutated(seed)).toEqual(mutated(seed));
  expect(new Set(Array.from({ length: 100 }, (_, seed) => mutated(seed).text)).size).toBe(100);
});

describe('what was found so', () => {
  const strace = '900 openat(AT_FDCWD, "/dev/iommu", O_RDWR) = 3</dev/iommu>';
  const ftrace = (at: number, event: string) => `  P1-110  [000] .....  ${at}.000001: ${event}`;

  test.each([
    ['an errno that breaks off', '900 openat(AT_FDCWD, "/dev/iommu", O_RDWR) = -1'],
    ['an errno of none', '900 openat(AT_FDCWD, "/dev/iommu", O_RDWR) = -1 e_xyz (Ugh)'],
    ['an errno that is no number', '900 openat(AT_FDCWD, "/dev/iommu", O_RDWR) = -1e99 (Ugh)'],
    [
      'a descriptor past all numbers',
      '900 openat(AT_FDCWD, "/dev/iommu", O_RDWR) = 99999999999999999',
    ],
  ])('%s is no refusal and no file', async (_what, line) => {
    const ledger = await openLedger(':memory:');
    const report = await ledger.import(`${strace}\n${line}`, { format: 'strace' });
    expect(report.rejected).toMatchObject([{ line: 2 }]);
    expect(ledger.events.filter(({ type }) => type === 'iommufd.opened')).toHaveLength(1);
    expect(ledger.log({ refused: true })).toEqual([]);
  });

  test('a file that is none of VFIO has no pointer', async () => {
    const ledger = await openLedger(':memory:');
    const lines = [
      ftrace(1, 'sys_openat(dfd: ffffff9c, filename: 7ffd, flags: 2, mode: 0)'),
      ftrace(2, 'open_path: (do_sys_openat2+0x0/0x170) path="/dev/vfio/devices/none"'),
      ftrace(3, 'fd_install: (fd_install+0x4/0x80) fd=3 file=0xff11'),
      ftrace(4, 'sys_openat -> 0x3'),
    ];
    await ledger.import(lines.join('\n'));
    const [opened] = ledger.events.filter(({ type }) => type === 'path.opened');
    expect(opened?.data).toMatchObject({ fd: 3, path: '/dev/vfio/devices/none' });
    expect(opened?.data).not.toHaveProperty('pointer');
  });

  test('a process without a name is called by its number', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import('[pid 900<>] openat(AT_FDCWD, "/dev/iommu", O_RDWR) = 3</dev/iommu>');
    expect(ledger.events.find(({ type }) => type === 'process.found')?.data).toMatchObject({
      comm: 'pid 900',
    });
  });
});
