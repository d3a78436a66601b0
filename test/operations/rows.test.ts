import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode } from '../../events/codec.ts';
import { operations } from '../../events/operations.ts';
import {
  callEvents,
  SCHEMA,
  type Fact,
  type Operation,
  type RecordedAttempt,
} from '../../events/vocabulary.ts';
import { fileKinds, type Passed } from '../../operations/row.ts';
import {
  bareCall,
  callOf,
  factOf,
  operationNames,
  requestedOf,
  rowOf,
} from '../../operations/table.ts';
import { effectOf } from '../../processes/effects.ts';
import { callOfStatement } from '../../scenario/calls.ts';
import { parseLine } from '../../scenario/language.ts';
import { Names } from '../../scenario/names.ts';

const number = fc.integer({ min: 0, max: 9 });
const fd = fc.integer({ min: -1, max: 6 });

/** What an argument may be, by its name; of `device` it depends on the operation. */
const byName: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  pid: number,
  fd,
  to: number,
  iommufd: fc.option(fd),
  container: fc.option(fd),
  groups: fc.option(fc.array(fd, { maxLength: 3 })),
  pt: fc.option(number),
  object: fc.option(number),
  ioas: fc.option(number),
  iommu: fc.option(number),
  extension: fc.option(number),
  region: fc.option(number),
  iova: fc.option(number),
  size: fc.option(number),
  action: fc.constantFrom('get', 'set', 'clear', null),
  request: number,
  mapping: number,
  group: fc.constantFrom('1', '26'),
  path: fc.constant('/dev/vfio/x'),
  comm: fc.constant('P2'),
  driver: fc.option(fc.constant('vfio-pci')),
  cloexec: fc.boolean(),
};

/** Arguments by which a call may be malformed, and which its success does not keep. */
const unrecorded = ['argsz', 'flags', 'pasid'];

function anyAttempt(operation: Operation): fc.Arbitrary<RecordedAttempt> {
  const names = Object.keys(operations[operation].entries);
  const device = operation === 'alloc_hwpt' ? fc.option(number) : fc.constant('0000:01:00.0');
  const known = names.filter((name) => !unrecorded.includes(name));
  const model = Object.fromEntries(
    known.map((name) => [name, name === 'device' ? device : (byName[name] ?? fc.constant(name))]),
  );
  return fc.record(model).map((data) => ({ operation, ...data }) as RecordedAttempt);
}

const anyPassed: fc.Arbitrary<Passed> = fc.record({
  errno: fc.constant(null),
  rc: number,
  id: number,
  hwpt: number,
  isFirstMap: fc.boolean(),
  pid: number,
  cdev: fc.constant('vfio0'),
});

test('there is a row for every operation of the vocabulary, and for no other', () => {
  expect(operationNames.toSorted()).toEqual(Object.keys(operations).toSorted());
});

describe.each(operationNames)('%s', (operation) => {
  const { records, request, scenario, traced, takenBy } = rowOf(operation);

  test('an event that records it fits the vocabulary, and gives the call back', () => {
    fc.assert(
      fc.property(anyAttempt(operation), anyPassed, (call, passed) => {
        for (const { type, data, call: back } of records) {
          const written = data(call, passed);
          if (written === null) continue;
          const event = { id: 'e', time: null, schema: SCHEMA, type, data: written };
          expect(decode(event)).toMatchObject({ type, data: written });
          const recorded = back(written);
          // Of a container that is cleared nothing else was asked.
          const asked = { ...call, ...(type === 'compat-ioas.cleared' && { ioas: -1 }) };
          expect(recorded?.call).toEqual(asked);
          expect(data(recorded?.call ?? call, { ...passed, ...recorded?.passed })).toEqual(written);
          const fact = { type, data: written } as Fact;
          expect(factOf(call, passed)).toEqual(fact);
          expect(callOf(fact)?.call).toEqual(takenBy === 'machines' ? asked : undefined);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('as an ioctl it is what its number asks of each kind of file', () => {
    expect(traced === null).toBe(request === null);
    if (request === null || traced === null) return;
    const attempt = traced({ pid: 1, fd: 3 }, { value: 0 });
    expect(attempt).toMatchObject({ operation, pid: 1, fd: 3 });
    for (const kind of fileKinds.filter((one) => request.on.includes(one))) {
      expect(requestedOf(kind, [request.number])?.operation).toBe(operation);
    }
    const bare = bareCall(request.number, { pid: 1, fd: 3 });
    if (request.argument === 'pointer') expect(bare).toBeNull();
    else expect(bare).toEqual(attempt);
  });

  test('as it is written in a scenario it is that call', () => {
    const words: Readonly<Record<string, string>> = {
      process: 'P2',
      action: 'get',
      n: '1',
      region: '1',
      request: '0',
      type: '1',
      ms: '1',
      device: 'd0',
      group: 'g1',
      driver: 'none',
      path: '/x',
    };
    const operands = scenario.operands.map((name) => words[name.replace(/[?*]$/, '')] ?? ':3');
    const options = scenario.options.map((name) => `${name}=1`);
    const statement = parseLine([operation, ...operands, ...options].join(' '));
    if (statement?.kind !== 'operation') throw new Error(`${operation} is no statement`);
    const itself = (word: string) => word;
    const place = {
      pid: 1,
      names: new Names(),
      device: itself,
      group: itself,
      cdev: itself,
      receiver: () => 2,
    };
    expect(callOfStatement(statement, place)).toMatchObject({ operation });
  });
});

test('every event of a call is recorded by one operation, and machines take no other', () => {
  const types = operationNames
    .map(rowOf)
    .filter(({ takenBy }) => takenBy === 'machines')
    .flatMap(({ records }) => records.map(({ type }) => type));
  // A container's map is recorded as the map of an IOAS if an iommufd serves as the container.
  const twice = types.filter((type, index) => types.indexOf(type) !== index);
  expect(twice).toEqual(['ioas.mapped']);
  expect([...new Set(types)].toSorted()).toEqual(callEvents.toSorted());
});

test.each(operationNames)(
  'what the row of %s says of its arguments and its event holds',
  (operation) => {
    const { context, descriptors, handsOut, processes, records } = rowOf(operation);
    const names = Object.keys(operations[operation].entries);
    expect(names).toEqual(expect.arrayContaining([...descriptors, ...processes]));
    if (context === 'given') expect(descriptors).toHaveLength(1);
    const fills = records.some(({ type }) => effectOf(type).fills !== null);
    expect(handsOut !== null).toBe(fills);
  },
);

test('the right request on the wrong file is an attempt, and no request of ours is none', () => {
  const bind = rowOf('bind').request?.number ?? 0;
  expect(requestedOf('group', [bind])).toEqual({ operation: 'bind', request: bind });
  expect(requestedOf('device', [1])).toBeNull();
});
