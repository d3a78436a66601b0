/** The table of wordings: what is to hold for each row, whatever it says. */
import { describe, expect, test } from 'vitest';
import { concerns } from '../../../evidence/messages/concerns.ts';
import { errnoIn } from '../../../evidence/messages/errnos.ts';
import { refusalsIn } from '../../../evidence/messages/refusals.ts';
import { strerrors } from '../../../evidence/messages/strerror.ts';
import { wordings } from '../../../evidence/messages/wordings.ts';
import { openLedger } from '../../../ledger.ts';

const rows = wordings.map((wording) => [wording.sample, wording] as const);

describe.each(rows)('%s', (sample, wording) => {
  test('has the words of its row, and is a refusal of its operation', () => {
    const [found] = [...sample.matchAll(wording.pattern)];
    expect(found).toBeDefined();
    const refusals = refusalsIn(sample, wording.needs === 'change');
    expect(refusals).toHaveLength(1);
    const { operation, errno, cause } = refusals[0]!.report;
    if (wording.operation !== null) expect(operation).toBe(wording.operation);
    if (wording.concluded !== undefined) expect([errno, cause]).toEqual([null, wording.concluded]);
    else if (wording.errno === 'hidden') expect([errno, cause]).toEqual([null, null]);
    else if (wording.errno !== 'optional') expect(errno).not.toBeNull();
  });

  test('passes the filter by its words alone', () => {
    // The words of some count only near others, which pass.
    if (wording.needs !== undefined) return;
    for (const [words] of sample.matchAll(wording.pattern)) expect(concerns(words)).toBe(true);
  });

  test('says who prints it, since when, and where', () => {
    for (const text of [wording.program, wording.versions, wording.source]) {
      expect(text.trim()).not.toBe('');
    }
  });
});

test('no row is there twice, and each is found by its own pattern alone or first', () => {
  const patterns = wordings.map(({ pattern }) => pattern.source);
  expect(new Set(patterns).size).toBe(patterns.length);
});

describe('strerror', () => {
  const spoken = Object.entries(strerrors).flatMap(([errno, texts]) =>
    Object.entries(texts).flatMap(([language, words]) =>
      [words].flat().map((text) => [language, text, errno] as const),
    ),
  );

  test.each(spoken)('%s: %s is %s', (_language, text, errno) => {
    for (const said of [text, text.toLowerCase(), `x: ${text}`, `(${text})`]) {
      expect(errnoIn(said)?.errno).toBe(errno);
    }
  });

  test('a busy group is one in every language', async () => {
    for (const words of Object.values(strerrors['EBUSY'] ?? {}).flat()) {
      const ledger = await openLedger(':memory:');
      await ledger.import(`kvm: vfio 0000:c4:00.0: failed to open /dev/vfio/57: ${words}`);
      expect(ledger.log({ refused: true }).map(({ data }) => data)).toMatchObject([
        { operation: 'open_group', group: '57', errno: 'EBUSY' },
      ]);
    }
  });

  test.each([
    ['VFIO_MAP_DMA: -22', 'EINVAL'],
    ['(errno 16)', 'EBUSY'],
    ['I/O error', 'EIO'],
    ['Not a tty', 'ENOTTY'],
  ])('%s is %s', (text, errno) => {
    expect(errnoIn(text)?.errno).toBe(errno);
  });

  test('a number that a call returns, and prose, are none', () => {
    for (const text of ['ret: -1', 'Keine Ahnung', 'занято ли устройство?', '忙']) {
      expect(errnoIn(text)).toBeNull();
    }
  });
});
