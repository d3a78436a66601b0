import fc from 'fast-check';
import { expect, test } from 'vitest';
import { moved, rangeIn, showing, zoomed, type ViewRange } from '../../web/range.ts';

const all: ViewRange = { from: 7, to: 900 };
const wanted = fc.option(fc.integer({ min: -50, max: 2000 }));
const range = fc.tuple(wanted, wanted).map(([from, to]) => rangeIn(all, from, to));

const isInside = ({ from, to }: ViewRange) => from >= all.from && to <= all.to && from <= to;

test('a range is never empty, and never outside of the history', () => {
  const step = fc.integer({ min: -3000, max: 3000 });
  const factor = fc.constantFrom(0.1, 0.5, 2, 10);
  fc.assert(
    fc.property(range, step, factor, (given, by, times) => {
      expect(given).toSatisfy(isInside);
      expect(moved(all, given, by)).toSatisfy(isInside);
      expect(zoomed(all, given, times, by)).toSatisfy(isInside);
      expect(showing(all, given, by)).toSatisfy(isInside);
    }),
  );
});

test('zooming keeps what it zooms around in view, and moving the length', () => {
  fc.assert(
    fc.property(range, fc.integer({ min: 7, max: 900 }), (given, at) => {
      const shown = showing(all, given, at);
      expect(shown.to - shown.from).toBe(given.to - given.from);
      for (const found of [shown, zoomed(all, shown, 0.5, at)]) {
        expect(at).toBeGreaterThanOrEqual(found.from);
        expect(at).toBeLessThanOrEqual(found.to);
      }
    }),
  );
});
