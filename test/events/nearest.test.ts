import fc from 'fast-check';
import { expect, test } from 'vitest';
import { meantClause, nearestClause, nearestTo } from '../../events/nearest.ts';

test('names that differ by few letters come first, and alone', () => {
  const names = ['gpu', 'gpu-audio', 'nvme', 'nic'];
  expect(nearestTo('gpuu', names)).toEqual(['gpu']);
  expect(nearestTo('gup', names)).toEqual(['gpu']);
  expect(nearestTo('NVME', names)).toEqual(['nvme']);
  expect(nearestTo('gpu-adio', names)).toEqual(['gpu-audio']);
});

test('if no name is near, the nearest there are', () => {
  expect(nearestTo('0000:ff:00.0', ['gpu', 'nvme'])).toHaveLength(2);
  expect(nearestTo('27', ['9', '26', '41', '101'])).toEqual(['26']);
  expect(nearestTo('30', ['1', '26', '41', '33'])).toEqual(['33']);
  expect(nearestTo('x', [])).toEqual([]);
});

test('of numbers that differ by as many letters, the nearest in value come first', () => {
  expect(nearestTo('100', ['900', '101', '130', '200'])).toEqual(['101', '130', '200']);
});

test('clauses end a message', () => {
  expect(nearestClause('gup', ['gpu'])).toBe('; nearest is gpu');
  expect(nearestClause('100', ['101', '130', '200'])).toBe('; nearest are 101, 130 and 200');
  expect(nearestClause('gup', [])).toBe('');
  expect(meantClause('tabel', ['table', 'who'])).toBe('; did you mean table?');
  expect(meantClause('zzzzz', ['table', 'who'])).toBe('');
});

/** The distance by its definition, a recursion over the ends of both words. */
function slowDistance(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length;
  const [shorterA, shorterB] = [a.slice(0, -1), b.slice(0, -1)];
  const swapped =
    a.length > 1 && b.length > 1 && a.at(-1) === b.at(-2) && a.at(-2) === b.at(-1)
      ? slowDistance(a.slice(0, -2), b.slice(0, -2)) + 1
      : Infinity;
  return Math.min(
    slowDistance(shorterA, b) + 1,
    slowDistance(a, shorterB) + 1,
    slowDistance(shorterA, shorterB) + (a.at(-1) === b.at(-1) ? 0 : 1),
    swapped,
  );
}

test('no name that is left out is nearer than one that is listed', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '1', '2'), minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(name, fc.uniqueArray(name, { maxLength: 8 }), (word, names) => {
      const near = nearestTo(word, names);
      const closeTo = Math.max(1, Math.floor(word.length / 3));
      const distances = names.map((each) => slowDistance(word, each)).toSorted((a, b) => a - b);
      const close = distances.filter((letters) => letters <= closeTo);
      const expected = (close.length > 0 ? close : distances).slice(0, 3);
      expect(near.map((each) => slowDistance(word, each))).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});
