import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { CorruptLogError, NotALogError, openLedger, sealLog, type Ledger } from '../../ledger.ts';
import { countOf } from '../support/effort.ts';
import { temporaryFolder } from './folder.ts';

/** Of a thousand bytes that can be flipped, so many are. */
const SHARE = countOf('bytes flipped of a thousand', { test: 20, soak: 300, full: 1000 });

const folder = temporaryFolder();

const topology = {
  kernel: '6.12.1',
  iommufd: true,
  devices: ['d0', 'd1'].map((name, index) => {
    const bdf = `0000:01:00.${index}`;
    return { name, bdf, group: 1, driver: 'vfio-pci', cdev: `vfio${index}` };
  }),
};

const refusal = `
open_iommufd I
open_cdev A d0
bind A I
@P2 open_cdev B d1
@P2 open_iommufd J
@P2 bind B J
`;

/** What every verb has to say, the refused and the unknown as well. */
function answers(ledger: Ledger): string {
  const tried = <T>(question: () => T) => {
    try {
      return question();
    } catch (error) {
      return String(error);
    }
  };
  return JSON.stringify([
    ledger.host,
    ledger.head,
    ledger.events,
    ledger.log({ refused: true }),
    ledger.at('end').table(),
    tried(() => ledger.at(ledger.first + 4).table()),
    tried(() => ledger.who('1')),
    tried(() => ledger.who('pid:101')),
    tried(() => ledger.history('d0')),
    tried(() => ledger.why('d1')),
    tried(() => ledger.diff('start', 'end')),
  ]);
}

/** Opens a log that one byte is wrong of. */
async function meet(log: string): Promise<{ told: string; found: boolean }> {
  let ledger: Ledger;
  try {
    ledger = await openLedger(log, { readOnly: true });
  } catch (error) {
    const isTold =
      error instanceof CorruptLogError || (error instanceof NotALogError && error.isSuspect);
    return { told: isTold ? 'damaged' : `threw ${String(error)}`, found: isTold };
  }
  try {
    const { faults } = await ledger.examine();
    return { told: answers(ledger), found: faults.length > 0 };
  } finally {
    await ledger.close();
  }
}

/** Flips bits of a file one byte after the other, and puts it back. */
async function flipped(log: string, file: string, places: Iterable<number>): Promise<string[]> {
  const ledger = await openLedger(log, { readOnly: true });
  const right = answers(ledger);
  await ledger.close();
  const whole = readFileSync(file);
  const wrong: string[] = [];
  for (const at of places) {
    const bytes = new Uint8Array(whole);
    // Another bit, or several, from byte to byte.
    bytes[at]! ^= 1 + ((at * 37) % 255);
    writeFileSync(file, bytes);
    const { told, found } = await meet(log);
    if (told !== right && told !== 'damaged')
      wrong.push(`byte ${at}: ${found ? 'found' : 'unnoticed'} ${told}`);
  }
  writeFileSync(file, whole);
  return wrong;
}

function* every(step: number, end: number, first = 0): Generator<number> {
  const stride = step * Math.max(1, Math.round(1000 / SHARE));
  for (let at = first; at < end; at += stride) yield at;
}

describe('a flipped byte', () => {
  const single = join(folder, 'single.ledger');
  const several = join(folder, 'several.ledger');

  beforeAll(async () => {
    for (const [log, count] of [
      [single, 1],
      [several, 3],
    ] as const) {
      for (let number = 1; number <= count; number++) {
        const ledger = await openLedger(log);
        await ledger.simulate(refusal, { topology });
        await ledger.close();
        if (number < count) sealLog(log);
      }
    }
  });

  test('of a log changes no answer, or is met as damage: every byte', async () => {
    const { length } = readFileSync(single);
    expect(length).toBe(12288);
    expect(await flipped(single, single, every(1, length))).toEqual([]);
  });

  test.each(['', '.0002', '.0003'])('of one of several files: %s', async (suffix) => {
    const file = several + suffix;
    const { length } = readFileSync(file);
    expect(await flipped(several, file, every(7, length))).toEqual([]);
    expect(await flipped(several, file, every(1, 120))).toEqual([]);
  });

  test('in a larger log, whose trees have branches', async () => {
    const log = join(folder, 'large.ledger');
    const ledger = await openLedger(log);
    const more = 'open_iommufd Z\nclose Z\n'.repeat(200);
    await ledger.simulate(refusal + more, { topology });
    await ledger.close();
    const { length } = readFileSync(log);
    expect(length).toBeGreaterThan(80_000);
    // What holds a page together stands at its beginning.
    for (let page = 0; page < length; page += 4096) {
      expect(await flipped(log, log, every(5, page + 40, page))).toEqual([]);
    }
    expect(await flipped(log, log, every(331, length))).toEqual([]);
  });
});
