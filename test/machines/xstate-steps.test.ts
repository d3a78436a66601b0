import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AnyEventObject } from 'xstate';
import { machineNames } from '../../machines/admission.ts';
import type { Machine } from '../../machines/flat-machine.ts';
import { kernelRules } from '../../machines/machines.ts';
import { profiles } from '../../machines/profile.ts';
import { steppedByXState } from '../../machines/xstate-engine.ts';
import { isSameMemory, XStateSteps } from '../../machines/xstate-steps.ts';
import { countOf, someOf } from '../support/effort.ts';
import { faultyTables, type Fault } from '../support/faulty-tables.ts';
import { alphabet } from '../support/machine-events.ts';

const HISTORIES = countOf('histories of steps', { test: 40, soak: 400 });

/** Of a profile, how many faults there are to find; some guards follow from others. */
const LEAST: Readonly<Record<Fault, number>> = {
  'wrong target': 100,
  'missing guard': 15,
  'other order': 5,
  'other record': 30,
};

interface Met {
  readonly state: string;
  readonly record: object;
  readonly event: AnyEventObject;
}

/** Every event of an alphabet at every place that random histories reach. */
function placesOf({ table, machine }: Machine, events: readonly AnyEventObject[]): Met[] {
  const places = new Map<string, Met>();
  const histories = fc.array(fc.constantFrom(...events), { minLength: 15, maxLength: 40 });
  for (const history of fc.sample(histories, { numRuns: HISTORIES, seed: 3 })) {
    let [state, record] = [table.initial, machine.config.context as object];
    for (const next of history) {
      for (const event of events) {
        places.set(keyOf({ state, record, event }), { state, record, event });
      }
      const to = table.next(state, record, next);
      if (to === null) continue;
      record = table.record(record, next);
      state = to;
    }
  }
  return [...places.values()];
}

function keyOf(met: Met): string {
  return JSON.stringify(met, (_key, value: unknown) => (value instanceof Map ? [...value] : value));
}

/** XState itself, asked at every step. */
function askXState({ table }: Machine, { state, record, event }: Met) {
  const next = table.next(state, record, event);
  return { state: next, record: next === null ? record : table.record(record, event) };
}

describe.each(someOf(profiles, 5))('under %s', (profile) => {
  const { machines } = kernelRules(profile);

  test.each(machineNames)('a step of %s is as XState makes it, though it is asked once', (name) => {
    const machine = machines[name];
    const [xstate, steps] = [steppedByXState(machine), new XStateSteps(machine)];
    const places = placesOf(machine, alphabet[name]);
    expect(places.length).toBeGreaterThan(5);
    for (const place of [...places, ...places.toReversed()]) {
      expect(steps.after(place, place.event), keyOf(place)).toEqual(askXState(xstate, place));
    }
  });

  test('every fault of a table is found that XState finds when it is asked at every step', () => {
    const found = new Map<Fault, number>();
    for (const name of machineNames) {
      const machine = machines[name];
      const [xstate, steps] = [steppedByXState(machine), new XStateSteps(machine)];
      const places = placesOf(machine, alphabet[name]).map((place) => ({
        ...place,
        asked: askXState(xstate, place),
        step: steps.after(place, place.event),
      }));
      for (const { fault, where, next, record } of faultyTables(machine.table)) {
        // What the table does not admit is a contradiction of the log, and no step.
        const taken = places.flatMap((place) => {
          const state = next(place.state, place.record, place.event);
          if (state === null) return [];
          return [{ ...place, faulty: { state, record: record(place.record, place.event) } }];
        });
        const isFound = taken.some(({ step, faulty }) => !isSameMemory(step, faulty));
        const isThere = taken.some(({ asked, faulty }) => !isSameMemory(asked, faulty));
        expect(isFound, `${name}: ${fault}, ${where}`).toBe(isThere);
        if (isFound) found.set(fault, (found.get(fault) ?? 0) + 1);
      }
    }
    for (const [fault, least] of Object.entries(LEAST)) {
      expect(found.get(fault as Fault), fault).toBeGreaterThan(least);
    }
  });
});
