import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressOf, viewAt, wholeHistory } from '../../web/address.ts';

const position = fc.option(fc.integer({ min: -1, max: 1e9 }));
const view = fc.record({
  axis: fc.constantFrom('positions' as const, 'time' as const),
  from: position,
  to: position,
  at: position,
  compare: position,
  refusal: position,
  without: position,
  subject: fc.option(fc.string({ minLength: 1, unit: 'grapheme' })),
  search: fc.string({ unit: 'grapheme' }),
});

test('an address holds the whole view', () => {
  fc.assert(
    fc.property(view, (shown) => {
      expect(viewAt(`#${addressOf(shown)}`)).toEqual(shown);
    }),
  );
});

test('an address says only what was chosen', () => {
  expect(addressOf(wholeHistory)).toBe('');
  expect(addressOf({ ...wholeHistory, at: 41, compare: -1, search: 'pid:4 & "x"' })).toBe(
    'at=41&compare=start&search=pid%3A4+%26+%22x%22',
  );
});

test('what an address holds wrongly is not chosen', () => {
  expect(viewAt('#at=x&from=-3&refusal=1e3&axis=space&subject=')).toEqual(wholeHistory);
});
