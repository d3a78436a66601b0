/** Two sources that tell the same: it is recorded once, in one import or in several. */
import { describe, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../ledger.ts';

const busy = 'Cannot open /dev/vfio/26: Device or resource busy';
/** One refusal, as two programs have logged it. */
const wall = `2026-03-04T05:06:07.123456Z vmm[7]: ${busy}`;
const forwarded = `2026-03-04T05:06:07.123457Z node-1 vmm[7]: ${busy}`;
const local = `2026-03-04 05:06:07.123456 vmm[7]: ${busy}`;
const other = `2026-03-04T05:06:08.500000Z vmm[7]: ${busy.replace('26', '27')}`;

const source = (name: string, ...lines: readonly string[]) => ({
  name,
  chunks: [`${lines.join('\n')}\n`],
});
const refusals = (ledger: Ledger) => [...ledger.each('operation.refused')].length;

describe('a refusal that two files tell', () => {
  const a = source('a', wall);
  const b = source('b', forwarded, other);

  test.each([
    ['both, then one', [[a, b], [b]], 2],
    ['both, then the other', [[a, b], [a]], 2],
    [
      'both, then both in another order',
      [
        [a, b],
        [b, a],
      ],
      2,
    ],
    ['one after the other, and again', [[a], [b], [a], [b]], 2],
    ['one, then both, then both', [[a], [a, b], [b, a]], 2],
  ] as const)('is recorded once: %s', async (_, imports, count) => {
    const ledger = await openLedger(':memory:');
    const seen: number[] = [];
    for (const sources of imports) {
      await ledger.importSources(sources);
      seen.push(refusals(ledger));
    }
    expect(seen.at(-1)).toBe(count);
    const { length } = ledger;
    for (const sources of imports) {
      expect(await ledger.importSources(sources)).toMatchObject({ appended: 0 });
    }
    expect(ledger.length).toBe(length);
  });

  test('is recorded once in local time as well', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.importSources([a]);
    expect(await ledger.importSources([source('c', local)], { zone: '+00:00' })).toMatchObject({
      appended: 0,
    });
  });

  test('in one import says once that it was seen', async () => {
    const ledger = await openLedger(':memory:');
    expect(await ledger.importSources([a, b])).toMatchObject({ seen: { refusal: 2 } });
  });
});

test('a refusal a moment later is another one', async () => {
  const ledger = await openLedger(':memory:');
  await ledger.importSources([source('a', wall)]);
  await ledger.importSources([source('b', wall.replace('.123456', '.126456'))]);
  await ledger.importSources([
    source('c', wall.replace('.123456', '.126456').replace('26:', '28:')),
  ]);
  expect(refusals(ledger)).toBe(3);
});

test('a claim that two files tell is recorded once', async () => {
  const claim =
    '2026-03-04T05:06:07.123456Z spdk[7]: Cannot create lock on device ' +
    '/var/tmp/spdk_pci_lock_0000:81:00.0, probably process 77 has claimed it';
  const ledger = await openLedger(':memory:');
  await ledger.importSources([source('a', claim), source('b', `node-1 | ${claim}`)]);
  const { length } = ledger;
  expect(ledger.log({}).filter(({ type }) => type.startsWith('claim.'))).not.toEqual([]);
  await ledger.importSources([source('b', `node-1 | ${claim}`)]);
  expect(ledger.length).toBe(length);
});
