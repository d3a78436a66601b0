import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode, DecodeError, NewerSchemaError } from '../../events/codec.ts';
import { upcast, upcastThrough } from '../../events/upcasters.ts';
import { SCHEMA, schemas, type LedgerEvent } from '../../events/vocabulary.ts';
import { entryOf } from '../../log/row.ts';

const bound = {
  id: 'e1',
  time: '2026-11-23T12:03:00.000001Z',
  schema: SCHEMA,
  type: 'device.bound',
  data: { pid: 101, fd: 4, iommufd: 3, id: 1 },
};
const refused = {
  ...bound,
  type: 'operation.refused',
  data: { operation: 'bind', errno: 'EPERM', pid: 101, fd: 4, iommufd: 3 },
};

describe('an event from JSON', () => {
  test('is what went in', () => {
    expect(decode(bound)).toEqual({ ...bound, schema: undefined });
    expect(decode(refused).data).toEqual(refused.data);
  });

  test.each([
    ['2026-11-23T12:03:00Z', '2026-11-23T12:03:00.000000Z'],
    ['2026-11-23T13:03:00.5+01:00', '2026-11-23T12:03:00.500000Z'],
    ['2026-11-23T12:03:00.1234567Z', '2026-11-23T12:03:00.123456Z'],
  ])('keeps instants in one spelling: %s', (time, kept) => {
    expect(decode({ ...bound, time }).time).toBe(kept);
  });

  test.each([
    ['no object', 5, ''],
    ['no id', { ...bound, id: '' }, 'id'],
    ['no instant', { ...bound, time: 'yesterday' }, 'time'],
    ['a type that is none', { ...bound, type: 'device.stolen' }, 'type'],
    ['a field that is missing', { ...bound, data: { pid: 1 } }, 'data'],
    ['a field too many', { ...bound, data: { ...bound.data, owner: 'me' } }, 'data.owner'],
    ['a field of the wrong kind', { ...bound, data: { ...bound.data, fd: '4' } }, 'data.fd'],
    ['an operation that is none', { ...refused, data: { operation: 'steal' } }, 'data.operation'],
    ['an errno that is none', { ...refused, data: { ...refused.data, errno: 'no' } }, 'data.errno'],
  ])('with %s is refused, and says where', (_what, value, path) => {
    expect(() => decode(value)).toThrow(DecodeError);
    try {
      decode(value);
    } catch (error) {
      expect((error as DecodeError).path.startsWith(path)).toBe(true);
      expect((error as DecodeError).reason).not.toBe('');
    }
  });

  test('may leave open on which file a call was refused, but not on which it passed', () => {
    const unshown = { ...refused, data: { ...refused.data, fd: null } };
    expect(decode(unshown).data).toMatchObject({ fd: null });
    expect(entryOf(unshown as unknown as LedgerEvent).data).toContain('"fd":null');
    const why = 'data.fd: Invalid type: Expected number but received null';
    expect(() => decode({ ...bound, data: { ...bound.data, fd: null } })).toThrow(why);
  });

  test('may say what a program concluded, and what its message names', () => {
    const named = { group: '26', device: 'd', blocker: { kind: 'group', id: '14' } };
    const data = { ...refused.data, errno: null, ...named };
    expect(decode({ ...refused, data }).data).toEqual(data);
    const other = { ...data, blocker: { kind: 'driver', id: 'nvidia' } };
    expect(() => decode({ ...refused, data: other })).toThrow('data.blocker.kind');
  });

  test('of a schema to come is told apart', () => {
    expect(() => decode({ ...bound, schema: SCHEMA + 1 })).toThrow(NewerSchemaError);
  });

  test('never gets through as something else, whatever its data', () => {
    const anything = fc
      .tuple(fc.constantFrom(...Object.keys(schemas)), fc.jsonValue())
      .map(([type, data]) => ({ ...bound, type, data }));
    fc.assert(
      fc.property(anything, (value) => {
        try {
          const event = decode(value);
          expect(decode({ ...event, schema: SCHEMA })).toEqual(event);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});

describe('the vocabulary', () => {
  test('names facts: noun, dot, what happened to it', () => {
    for (const type of Object.keys(schemas)) expect(type).toMatch(/^[a-z-]+\.[a-z-]+$/);
  });
});

describe('upcasters', () => {
  const step = (from: number) => ({
    from,
    upcast: ({ type, data }: { type: string; data: unknown }) => ({
      type: `${type}+${from}`,
      data,
    }),
  });

  test('lift an event one version a step, from the one that it was written by', () => {
    const through = upcastThrough([step(1), step(2)]);
    expect(through({ type: 'a', data: null }, 1).type).toBe('a+1+2');
    expect(through({ type: 'a', data: null }, 2).type).toBe('a+2');
    expect(through({ type: 'a', data: null }, 3).type).toBe('a');
  });

  test.each([
    ['the first is missing', [step(2)]],
    ['one is missing', [step(1), step(3)]],
    ['they are out of order', [step(2), step(1)]],
  ])('are refused at load when %s', (_what, steps) => {
    expect(() => upcastThrough(steps)).toThrow(RangeError);
  });

  test('before schema 4, a descriptor that stood in for one that nobody saw is not shown', () => {
    const evidence = { source: 'console', line: 3, certainty: 'observed' };
    const data = { operation: 'reset', errno: 'EINVAL', pid: 9, fd: -2, evidence };
    const read = (schema: number, of: object) =>
      upcast({ type: 'operation.refused', data: of }, schema).data;
    for (const schema of [1, 2, 3]) expect(read(schema, data)).toEqual({ ...data, fd: null });
    expect(read(4, data)).toBe(data);
    const shown = { ...data, fd: -1 };
    expect(read(3, shown)).toBe(shown);
    // A scenario may give any number as a descriptor.
    const scenario = { operation: 'reset', errno: 'EINVAL', pid: 9, fd: -2 };
    expect(read(3, scenario)).toBe(scenario);
    const closed = { pid: 9, fd: -2, evidence };
    expect(upcast({ type: 'descriptor.closed', data: closed }, 3).data).toBe(closed);
  });

  test('of today leave an event of today as it is', () => {
    const event = { type: 'device.bound', data: {} };
    expect(upcast(event, SCHEMA)).toBe(event);
  });
});
