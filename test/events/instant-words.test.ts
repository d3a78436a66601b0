import { expect, test } from 'vitest';
import { instantNamed, isRelative } from '../../events/instant-words.ts';
import { LedgerError } from '../../events/ledger-error.ts';

const context = {
  now: () => new Date('2026-03-01T00:00:30.250Z'),
  day: () => '2026-02-28',
};
const named = (word: string) => instantNamed(word, context);

test.each([
  ['now', '2026-03-01T00:00:30.250000Z'],
  ['-90s', '2026-02-28T23:59:00.250000Z'],
  ['-10m', '2026-02-28T23:50:30.250000Z'],
  ['-2h', '2026-02-28T22:00:30.250000Z'],
  ['-3d', '2026-02-26T00:00:30.250000Z'],
  ['-0s', '2026-03-01T00:00:30.250000Z'],
  ['12:03', '2026-02-28T12:03:00.000000Z'],
  ['23:59:59', '2026-02-28T23:59:59.000000Z'],
  ['2026-11-22', '2026-11-22T00:00:00.000000Z'],
  ['2026-11-22T12:03', '2026-11-22T12:03:00.000000Z'],
  ['2026-11-22 12:03:04,5', '2026-11-22T12:03:04.500000Z'],
  ['2026-11-22T12:03:04.123456789+01:00', '2026-11-22T11:03:04.123456Z'],
  ['2026-11-22T23:03:04-0330', '2026-11-23T02:33:04.000000Z'],
  ['2028-02-29T00:00Z', '2028-02-29T00:00:00.000000Z'],
  ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
])('%s is %s', (word, instant) => {
  expect(named(word)).toBe(instant);
});

test.each([
  '2026-02-29',
  '2026-04-31T12:00',
  '2026-13-01',
  '2026-11-22T25:00',
  '2026-11-22T12:60',
  '2026-11-22T24:00',
  '2016-12-31T23:59:60Z',
  '0000-06-01',
  '2026-11-22T12:00+25:00',
  '0000-01-01T00:00+01:00',
  '9999-12-31T23:59-01:00',
  '24:00',
  '9:05',
  '12:03:60',
  'yesterday',
  '-10',
  '-10w',
  '10m',
  '-1.5h',
  'Now',
  '',
  '-999999999d',
  '-99999999999999999999d',
])("'%s' is no instant", (word) => {
  expect(() => named(word)).toThrow(LedgerError);
  expect(() => named(word)).toThrow(expect.objectContaining({ code: 'bad-when' }));
});

test('a clock and a day are asked only for words that need them', () => {
  const none = {
    now: () => expect.unreachable('the clock'),
    day: () => expect.unreachable('the day'),
  };
  expect(instantNamed('2026-11-22', none)).toBe('2026-11-22T00:00:00.000000Z');
});

test('times before now look like options', () => {
  expect(['-90s', '-10m', '-2h', '-3d'].every(isRelative)).toBe(true);
  expect(['-h', '--at', '-10', 'now', '-m10', '10m', '-10m1'].some(isRelative)).toBe(false);
});
