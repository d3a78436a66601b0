import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode } from '../../events/codec.ts';
import { instantIn, isWritable, millisOf } from '../../events/iso-8601.ts';
import { SCHEMA } from '../../events/vocabulary.ts';

test.each([
  ['2026-02-28', '2026-02-28T00:00:00.000000Z'],
  ['2024-02-29T12:03', '2024-02-29T12:03:00.000000Z'],
  ['2000-02-29 12:03:04,5', '2000-02-29T12:03:04.500000Z'],
  ['2026-11-22T12:03:04.1234567+01:00', '2026-11-22T11:03:04.123456Z'],
  ['2026-11-22T12:03:04 -0330', '2026-11-22T15:33:04.000000Z'],
  ['2026-11-22T12:03:04+01', '2026-11-22T11:03:04.000000Z'],
  ['0001-01-01T00:00Z', '0001-01-01T00:00:00.000000Z'],
  ['0000-12-31T23:00-01:00', '0001-01-01T00:00:00.000000Z'],
  ['0099-12-31T23:59:59z', '0099-12-31T23:59:59.000000Z'],
  ['9999-12-31T23:59:59.9999999Z', '9999-12-31T23:59:59.999999Z'],
])('%s is %s', (text, instant) => {
  expect(instantIn(text)).toBe(instant);
});

const none = [
  '2026-02-29',
  '1900-02-29',
  '2026-02-30T12:00',
  '2026-04-31T12:00',
  '2026-00-10',
  '2026-13-10',
  '2026-01-00',
  '2026-01-32',
  '2026-11-22T24:00',
  '2026-11-22T24:61',
  '2026-11-22T12:60',
  '2016-12-31T23:59:60Z',
  '2026-11-22T12:00+24:00',
  '2026-11-22T12:00+01:60',
  '0000-12-31T23:59:59Z',
  '0001-01-01T00:00+00:01',
  '9999-12-31T23:59:59-00:01',
  '10000-01-01',
  '2026-11-22T',
  'yesterday',
];

test.each(none)("'%s' is no instant", (text) => {
  expect(instantIn(text)).toBeNull();
});

test('an event of JSON has no other time', () => {
  const event = { id: 'e', schema: SCHEMA, type: 'process.exited', data: { pid: 1, signal: null } };
  for (const text of none) {
    const time = text.length === 10 ? `${text}T00:00:00Z` : text;
    expect(() => decode({ ...event, time }), time).toThrow(/^time: /);
  }
  expect(() => decode({ ...event, time: '0000-01-01T00:00:00.000000Z' })).toThrow(/^time: /);
  expect(decode({ ...event, time: '2024-02-29T00:00:00Z' }).time).toBe(
    '2024-02-29T00:00:00.000000Z',
  );
});

test('every instant of the years 1 to 9999 is read as `Date` reads it, and no other', () => {
  const [from, to] = [new Date('0001-01-01T00:00Z'), new Date('9999-12-31T23:59:59.999Z')];
  fc.assert(
    fc.property(fc.date({ min: from, max: to, noInvalidDate: true }), (date) => {
      expect(instantIn(date.toISOString())).toBe(`${date.toISOString().slice(0, -1)}000Z`);
      expect(isWritable(date.getTime())).toBe(true);
    }),
  );
  expect([from.getTime() - 1, to.getTime() + 1, NaN].some(isWritable)).toBe(false);
});

test('a day exists if the calendar comes back to it', () => {
  const parts = { hour: 0, minute: 0, second: 0 };
  fc.assert(
    fc.property(
      fc.record({
        year: fc.integer({ min: 1, max: 9999 }),
        month: fc.integer({ min: 0, max: 13 }),
        day: fc.integer({ min: 0, max: 32 }),
      }),
      ({ year, month, day }) => {
        const date = new Date(0);
        date.setUTCFullYear(year, month - 1, day);
        const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
        const millis = millisOf({ year, month, day, ...parts });
        expect(millis).toBe(exists ? date.getTime() : null);
      },
    ),
  );
});
