import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instantOf, microsOf } from '../../events/iso-8601.ts';
import { axisOfPositions, axisOfTime, type Axis, type PictureClock } from '../../web/axis.ts';

/** Events at these milliseconds, ascending. */
const clockOf = (times: readonly number[]): PictureClock => ({
  timeAt: (position) => times[position] ?? 0,
  lastUntil: (time) => times.findLastIndex((at) => at <= time),
});

const width = fc.integer({ min: 60, max: 400 });
const times = fc
  .array(fc.integer({ min: 0, max: 86_400_000 }), { minLength: 1, maxLength: 60 })
  .map((found) => found.toSorted((one, other) => one - other));

function isAxis({ edges, xOf }: Axis, from: number, end: number, columns: number): void {
  expect(edges).toHaveLength(columns + 1);
  expect(edges[0]).toBe(from);
  expect(edges.at(-1)).toBe(end);
  expect(edges).toEqual(edges.toSorted((one, other) => one - other));
  let last = 0;
  for (let position = from; position <= end; position++) {
    expect(xOf(position)).toBeGreaterThanOrEqual(last);
    last = xOf(position);
  }
  expect(last).toBe(columns);
}

test('an axis of positions has every position, in order', () => {
  const starts = fc.nat(1e6);
  const lengths = fc.integer({ min: 1, max: 200 });
  fc.assert(
    fc.property(starts, lengths, width, (from, length, columns) => {
      const axis = axisOfPositions(from, from + length, columns);
      isAxis(axis, from, from + length, columns);
      expect(axis.positionAt(0)).toBe(from);
      expect(axis.positionAt(columns)).toBe(from + length - 1);
    }),
  );
});

test('an axis of time has every position, in order, and the last event at a pixel', () => {
  fc.assert(
    fc.property(times, width, (found, columns) => {
      const axis = axisOfTime(clockOf(found), 0, found.length, columns);
      isAxis(axis, 0, found.length, columns);
      for (const [x, edge] of axis.edges.slice(1, -1).entries()) {
        // The column ends before the first event of the next one.
        expect(edge - 1).toBeLessThanOrEqual(Math.max(0, axis.positionAt(x + 1)));
      }
      expect(axis.positionAt(columns)).toBe(found.length - 1);
    }),
  );
});

test('ticks are labelled by round times', () => {
  const axis = axisOfTime(clockOf([0, 3_600_000, 7_200_000]), 0, 3, 900);
  expect(axis.ticks.map(({ label }) => label)).toEqual([
    '00:00',
    '00:15',
    '00:30',
    '00:45',
    '01:00',
    '01:15',
    '01:30',
    '01:45',
    '02:00',
  ]);
});

test('an instant is kept to the microsecond', () => {
  const micro = fc.integer({ min: 0, max: 4e15 });
  fc.assert(
    fc.property(micro, (at) => {
      const whole = new Date(Math.floor(at / 1000)).toISOString().slice(0, 23);
      const instant = `${whole}${String(at % 1000).padStart(3, '0')}Z`;
      // An axis counts in milliseconds.
      const milliseconds = (microsOf(instant) ?? 0) / 1000;
      expect(instantOf(milliseconds * 1000)).toBe(instant);
    }),
  );
});
