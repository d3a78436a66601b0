import fc from 'fast-check';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { evidence } from '../../events/evidence.ts';
import { operations } from '../../events/operations.ts';
import { quickTest } from '../../events/quick-test.ts';
import { eventTypes, schemas, type EventType } from '../../events/vocabulary.ts';

const shown = { source: 'a.strace', line: 3, certainty: 'observed' };

const numbers = [0, 1, 3, -1, 1.5, 2 ** 53];
const words = ['', 'a', 'EBUSY', 'ebusy', 'f'.repeat(64), 'observed', 'group', 'wall', 'get'];
const times = ['2026-11-23T12:03:00.000001Z', '2026-13-01T00:00:00Z'];
const lists = [[], [3], [3, -1], [1.5], ['a']];
const objects = [
  {},
  { pid: 1, comm: 'a' },
  { comm: 'a', pid: null },
  shown,
  { ...shown, rule: 'r' },
  { ...shown, line: 0 },
  { ...shown, source: '' },
  { rule: 'r', ...shown },
];

/** JSON values that some entry of some shape takes, and some that none takes. */
const values: readonly unknown[] = [
  null,
  true,
  ...numbers,
  ...words,
  ...times,
  ...lists,
  ...objects,
];

type Entries = Readonly<Record<string, v.GenericSchema>>;

interface ShapeOfData {
  readonly type: EventType;
  readonly operation: string;
  readonly entries: Entries;
}

/** The shapes that `data` may have: one of each type, and of a refusal one of each operation. */
const shapes: readonly ShapeOfData[] = [
  ...eventTypes
    .filter((type) => type !== 'operation.refused')
    .map((type) => {
      const { entries } = schemas[type] as unknown as { entries: Entries };
      return { type, operation: '', entries };
    }),
  ...Object.entries(operations).map(([operation, { entries }]) => {
    const others = { operation: v.literal(operation), errno: v.picklist(['EBUSY', 'EPERM']) };
    const all = { ...others, ...entries, cause: v.string(), evidence };
    return { type: 'operation.refused' as const, operation, entries: all };
  }),
];

/** Objects that mostly have the right values, now and then a wrong one, or keys in another order. */
function near(entries: Entries): fc.Arbitrary<object> {
  const cells = Object.entries(entries).map(([key, schema]) => {
    const literal = (schema as { literal?: unknown }).literal;
    const right = [...values, literal].filter((value) => v.is(schema, value));
    const value = fc.oneof(
      { weight: 40, arbitrary: fc.constantFrom(...right) },
      { weight: 1, arbitrary: fc.constantFrom(...values) },
    );
    const isThere = fc.integer({ min: 0, max: 40 }).map((chance) => chance > 0);
    return fc.tuple(fc.constant(key), value, isThere);
  });
  const other = fc.tuple(fc.constant('other'), fc.constant(1), fc.constant(false));
  return fc
    .tuple(
      fc.tuple(...cells, other),
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 0, max: 9 }),
    )
    .map(([all, turned, more]) => {
      const there = all.filter(([key, , isThere]) => isThere || (key === 'other' && more === 0));
      if (turned === 0) there.reverse();
      return Object.fromEntries(there.map(([key, value]) => [key, value]));
    });
}

test.each(shapes)(
  '$type $operation: what passes is what valibot returns, to the byte',
  ({ type, entries }) => {
    const passes = quickTest(schemas[type]);
    let passed = 0;
    let valid = 0;
    fc.assert(
      fc.property(near(entries), (data) => {
        const text = JSON.stringify(data);
        const parsed: unknown = JSON.parse(text);
        const result = v.safeParse(schemas[type], parsed);
        if (result.success) valid++;
        if (!passes(parsed)) return;
        passed++;
        expect(result.success).toBe(true);
        expect(JSON.stringify(result.output)).toBe(text);
      }),
      { numRuns: 200 },
    );
    // Many have their keys in order: a test that passed nothing would be no quicker than valibot.
    expect(passed).toBeGreaterThan(valid / 4);
    expect(valid).toBeGreaterThan(20);
  },
);

test('what is no object does not pass, nor does an unknown schema', () => {
  const passes = quickTest(schemas['device.bound']);
  for (const value of [null, undefined, 5, 'text', [], true]) expect(passes(value)).toBe(false);
  expect(quickTest(v.date())(new Date(0))).toBe(false);
  expect(quickTest(v.pipe(v.string(), v.trim()))('a')).toBe(false);
  expect(quickTest(v.optional(v.string(), 'a'))(undefined)).toBe(false);
});
