/**
 * A refused call that a trace shows and of which a message tells.
 *
 * @module
 */
import { describe, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../ledger.ts';

const calls = [
  '4103 1764150003.348815 openat(AT_FDCWD, "/dev/vfio/vfio", O_RDWR) = 7</dev/vfio/vfio>',
  '4103 1764150003.349127 openat(AT_FDCWD, "/dev/vfio/26", O_RDWR) = -1 EBUSY (Device or resource busy)',
  '4103 1764150009.000500 exit_group(1) = ?',
  '',
].join('\n');

const message = (time: string, pid: number, group: number) =>
  `${time} lab qemu[${pid}]: vfio: error opening /dev/vfio/${group}: Device or resource busy\n`;

async function importing(...texts: readonly string[]): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.importSources(texts.map((text, index) => ({ name: `${index}`, chunks: [text] })));
  return ledger;
}

const refusalsOf = (ledger: Ledger) => ledger.log({ refused: true }).map(({ data }) => data);

describe('a refusal that a trace shows and a message tells', () => {
  const times = [
    '2025-11-26T09:40:03+00:00',
    '2025-11-26T09:40:04+00:00',
    '2025-11-26T09:40:03.351+00:00',
    '2025-11-26T09:40:03.350011+00:00',
  ];

  test.each(times)('is one refusal, that of the trace: %s', async (time) => {
    const both = await importing(message(time, 4103, 26), calls);
    expect(refusalsOf(both)).toMatchObject([{ pid: 4103, evidence: { source: '1' } }]);
  });

  // What is earlier than the log is not taken.
  test.each(times.slice(1))('is one refusal if the log has the trace already: %s', async (time) => {
    const ledger = await importing(calls.replace(/^.*exit_group.*\n/m, ''));
    await ledger.import(message(time, 4103, 26));
    expect(refusalsOf(ledger)).toHaveLength(1);
  });

  test.each([
    ['of another process', message(times[0] ?? '', 4104, 26)],
    ['of another group', message(times[0] ?? '', 4103, 27)],
    ['at another time', message('2025-11-26T09:40:06+00:00', 4103, 26)],
    ['at another exact time', message('2025-11-26T09:40:03.500+00:00', 4103, 26)],
  ])('is two %s', async (_what, text) => {
    expect(refusalsOf(await importing(text, calls))).toHaveLength(2);
  });
});
