/**
 * Lines that cannot be read, in a recording of the whole host: what they showed is missing.
 *
 * @module
 */
import { describe, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../ledger.ts';

const open = (second: number, path: string, fd: number) =>
  `{"t":${second}000000,"pid":7,"tid":7,"comm":"qemu","ev":"open","flags":2,"rc":${fd},"file":"0xff${fd}","path":"${path}"}`;
const torn = 'ev":"close","fd":3,"rc":0}';

const lines = [open(1, '/dev/vfio/vfio', 3), open(2, '/dev/vfio/26', 4), open(4, '/dev/iommu', 5)];

const gapsOf = (ledger: Ledger) =>
  ledger.events
    .filter(({ type, data }) => type === 'gap.noticed' && data.group === null)
    .map(({ data }) => [data.evidence?.line, data]);

describe('a line of a recording of the whole host that cannot be read', () => {
  test('is a gap', async () => {
    const ledger = await openLedger(':memory:');
    const [first = '', second = '', last = ''] = lines;
    const report = await ledger.import([first, second, torn, torn, last, ''].join('\n'));
    expect(report.rejectedCount).toBe(2);
    const reason = 'a line of the trace cannot be read';
    expect(gapsOf(ledger)).toMatchObject([[3, { reason, group: null }]]);
    expect(ledger.who('26').owner.kind).toBe('unknown');
  });

  test('is a gap as well while it is recorded', async () => {
    const ledger = await openLedger(':memory:');
    const [first = '', second = '', last = ''] = lines;
    await ledger.follow(ReadableStream.from([first, second, torn, last]), { format: 'bpftrace' });
    expect(gapsOf(ledger)).toHaveLength(1);
  });

  test('does not change the ids of the events after it', async () => {
    const [first = '', second = '', last = ''] = lines;
    const ids = async (...text: readonly string[]) => {
      const ledger = await openLedger(':memory:');
      await ledger.import(text.join('\n'));
      return ledger.events.map(({ id }) => id);
    };
    const whole = await ids(first, second, last);
    const found = await ids(first, second, torn, last);
    expect(found.filter((id) => whole.includes(id))).toEqual(whole);
  });

  test('is no gap before the first line that shows anything, nor if it is a message', async () => {
    const ledger = await openLedger(':memory:');
    const message = 'kernel: vfio-pci 0000:3b:00.0: vfio_bar_restore: reset recovery';
    await ledger.import(['$ cat trace', ...lines.slice(0, 2), message, lines[2], ''].join('\n'));
    expect(gapsOf(ledger)).toEqual([]);
  });
});

test('sources of one import that are called the same are told apart', async () => {
  const ledger = await openLedger(':memory:');
  const chunks = (path: string) => [`7 1764150000.1 openat(AT_FDCWD, "${path}", O_RDWR) = 3\n`];
  const [one, other] = ['/dev/vfio/26', '/dev/iommu'].map(chunks);
  await ledger.importSources([
    { name: 'x.log', chunks: one ?? [] },
    { name: 'x.log', chunks: other ?? [] },
  ]);
  const found = ledger.attest('never-owned', '26', 'pid:7').evidence;
  expect(found.map(({ source }) => source)).toEqual(['x.log', 'x.log (2)']);
});
