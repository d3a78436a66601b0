/** Lines of more than 1 MiB are rejected, wherever they stand, and the lines around them keep their numbers. */
import { describe, expect, test } from 'vitest';
import { openLedger, type ImportSettings } from '../../ledger.ts';

const TOO_LONG = 'the line is longer than 1 MiB';
const longest = 'x'.repeat(1 << 20);
const long = `${longest}y`;
const busy = (group: number) => `vmm[7]: Cannot open /dev/vfio/${group}: Device or resource busy`;

async function read(lines: readonly string[], settings: ImportSettings = {}) {
  const ledger = await openLedger(':memory:');
  const report = await ledger.import(lines.join('\n'), settings);
  const lined = ledger.log({ refused: true }).map(({ data }) => data.evidence?.line);
  return { ...report, lined };
}

describe('a line of more than 1 MiB', () => {
  test.each([
    ['before the first that is recognized', ['hello', long, busy(26)], 2, [3]],
    ['as the first', [long, '', busy(26)], 1, [3]],
    ['among messages', [busy(26), long, busy(27)], 2, [1, 3]],
    ['that names VFIO', [busy(26), `/dev/vfio/9 ${long}`, busy(27)], 2, [1, 3]],
    ['as the last', [busy(26), long], 2, [1]],
  ])('is rejected %s', async (_where, lines, line, lined) => {
    const report = await read(lines);
    expect(report).toMatchObject({ rejected: [{ file: 'text', line, reason: TOO_LONG }], lined });
    const strict = read(lines, { strict: true });
    await expect(strict).rejects.toThrow(`text:${line}: ${TOO_LONG}`);
  });

  test('is rejected among many that say nothing, which are passed over together', async () => {
    const noise = Array.from({ length: 9000 }, (_, index) => `line ${index}`);
    const report = await read([busy(26), ...noise, long, ...noise, busy(27)]);
    expect(report).toMatchObject({ read: 18_003, lined: [1, 18_003] });
    expect(report.rejected).toEqual([{ file: 'text', line: 9002, reason: TOO_LONG }]);
  });

  test('is named if no other line says anything, and nothing is appended', async () => {
    const ledger = await openLedger(':memory:');
    const importing = ledger.import(`hello\n/dev/vfio/9 ${long}\n`);
    await expect(importing).rejects.toMatchObject({
      code: 'bad-evidence',
      message: `text:2: ${TOO_LONG}; no other line says anything of VFIO`,
    });
    expect(ledger.length).toBe(0);
  });

  test.each(['events', 'truth', null])('ends an export or recorded answers: %s', async (format) => {
    const settings = format === null ? {} : { format };
    const event =
      '{"position":1,"id":"e","schema":1,"type":"process.exited","data":{},"time":null}';
    const importing = read([`{"${long}":1}`, event], settings);
    await expect(importing).rejects.toThrow(`text:1: ${TOO_LONG}`);
  });
});

test('a line of 1 MiB is read', async () => {
  const line = `${busy(26)} `.padEnd(1 << 20, 'x');
  expect(await read([line, longest, busy(27)])).toMatchObject({ rejected: [], lined: [1, 3] });
});

test('of very long lines before the first that is recognized, the last ones are read', async () => {
  // A row below its header is read only with it.
  const header = '$ lsof /dev/vfio/57';
  const lines = [header, longest, longest, longest, longest, longest, longest, longest, busy(26)];
  expect(await read(lines)).toMatchObject({ read: 9, rejected: [], lined: [9] });
});
