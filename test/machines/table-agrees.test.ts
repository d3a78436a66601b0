import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  initialTransition,
  transition,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
} from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import type { MachineName } from '../../machines/admission.ts';
import type { Machine } from '../../machines/flat-machine.ts';
import { kernelRules } from '../../machines/machines.ts';
import { profiles } from '../../machines/profile.ts';
import { alphabet, alphabetOf } from '../support/machine-events.ts';
import { countOf, someOf } from '../support/effort.ts';

/** Plays a history on XState and on the table, and compares after each event. */
function agree({ machine, table }: Machine, history: readonly AnyEventObject[]): void {
  let [snapshot] = initialTransition(machine) as unknown as [AnyMachineSnapshot];
  let state = table.initial;
  let memory: unknown = snapshot.context;
  for (const event of history) {
    const next = table.next(state, memory as object, event);
    expect(next !== null, `${event.type} in '${state}'`).toBe(snapshot.can(event));
    [snapshot] = transition(machine, snapshot, event) as [AnyMachineSnapshot, unknown];
    if (next !== null) {
      memory = table.record(memory as object, event);
      state = next;
    }
    expect(state).toBe(snapshot.value);
    expect(memory).toEqual(snapshot.context);
  }
}

/** Counters grow without end; a few of each say all that guards can tell apart. */
function isDeepEnough({ context }: AnyMachineSnapshot): boolean {
  const memory = context as Readonly<Record<string, unknown>>;
  const counts = Object.values(memory).filter((value) => typeof value === 'number');
  const objects = memory['objects'] instanceof Map ? [...memory['objects'].values()] : [];
  const users = objects.map((object: { users?: number }) => object.users ?? 0);
  return [...counts, ...users].some((count) => count > 2 || count < 0) || objects.length > 3;
}

function pathsOf(machine: AnyStateMachine, events: readonly AnyEventObject[]) {
  const paths = getShortestPaths(machine, {
    events: [...events],
    filterEvents: (snapshot: AnyMachineSnapshot, event: AnyEventObject) => snapshot.can(event),
    stopWhen: isDeepEnough,
    serializeState: ({ value, context }: AnyMachineSnapshot) =>
      JSON.stringify([value, context], (_key, part) => (part instanceof Map ? [...part] : part)),
    limit: 20_000,
  } as never) as unknown as { steps: { event: AnyEventObject }[] }[];
  return paths.map(({ steps }) =>
    steps.map(({ event }) => event).filter(({ type }) => type !== 'xstate.init'),
  );
}

const PATHS = countOf('paths through a machine', { test: 60, soak: 400 });
const HISTORIES = countOf('histories of a machine', { test: 15, soak: 60, full: 600 });

test.each(Object.keys(alphabet) as MachineName[])('the alphabet of %s is whole', (name) => {
  const tables = profiles.map((profile) => kernelRules(profile).machines[name].table);
  const taken = tables.flatMap(({ transitions }) => transitions.map(({ event }) => event));
  expect(new Set(alphabet[name].map(({ type }) => type))).toEqual(new Set(taken));
});

describe.each(someOf(profiles, 5))(
  'the transition tables of %s say what XState says',
  (profile) => {
    const { machines } = kernelRules(profile);
    test.each(Object.keys(alphabet) as MachineName[])(
      'for %s: every event in every state',
      (name) => {
        const events = alphabetOf(profile, name);
        const paths = pathsOf(machines[name].machine, events);
        expect(paths.length).toBeGreaterThan(1);
        for (const path of paths.slice(0, PATHS)) {
          for (const event of events) agree(machines[name], [...path, event]);
        }
      },
    );

    test.each(Object.keys(alphabet) as MachineName[])('for %s: on any history', (name) => {
      const history = fc.array(fc.constantFrom(...alphabet[name]), { maxLength: 25 });
      fc.assert(
        fc.property(history, (events) => agree(machines[name], events)),
        { numRuns: HISTORIES },
      );
    });

    test.each(Object.keys(alphabet) as MachineName[])('for %s: every state is reached', (name) => {
      const { machine, table } = machines[name];
      const reached = new Set(
        pathsOf(machine, alphabetOf(profile, name)).map((path) => {
          let state = table.initial;
          let memory = machine.config.context as object;
          for (const event of path) {
            state = table.next(state, memory, event) ?? state;
            memory = machines[name].table.record(memory, event);
          }
          return state;
        }),
      );
      expect(table.states.filter((state) => !reached.has(state))).toEqual([]);
    });
  },
);
