import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createMachine,
  transition,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
} from 'xstate';
import { machineNames, type MachineName } from '../../machines/admission.ts';
import { configOf } from '../../machines/config.ts';
import { kernelRules } from '../../machines/machines.ts';
import { profiles, type Profile } from '../../machines/profile.ts';
import { alphabet } from '../support/machine-events.ts';

type Guard = (args: { readonly context: unknown; readonly event: unknown }) => boolean;

/** The config as a program reads it back, with our guards and `record` under its names. */
function loaded(name: MachineName, profile: Profile): AnyStateMachine {
  const { machine, table } = kernelRules(profile).machines[name];
  const ours = machine.implementations.guards as unknown as Record<string, Guard>;
  const guards = Object.fromEntries(
    table.transitions.map(({ guards: named }): [string, Guard] => [
      named.join(' && '),
      (args) => named.every((guard) => ours[guard]?.(args) === true),
    ]),
  );
  const { actions } = machine.implementations;
  const config = JSON.parse(JSON.stringify(configOf(kernelRules(profile).machines[name])));
  return createMachine(config).provide({ guards, actions } as never) as unknown as AnyStateMachine;
}

const cases = profiles.flatMap((profile) =>
  machineNames.map((name): [Profile, MachineName] => [profile, name]),
);

describe('a config that is read back from JSON takes the transitions of the machine', () => {
  test.each(cases)('%s: %s', (profile, name) => {
    const { machine } = kernelRules(profile).machines[name];
    const copy = loaded(name, profile);
    expect(Object.keys(copy.states)).toEqual(Object.keys(machine.states));
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...alphabet[name]), { maxLength: 20 }), (history) => {
        const start = { value: copy.config.initial as string, context: machine.config.context };
        let ours = machine.resolveState(start as never) as AnyMachineSnapshot;
        let theirs = copy.resolveState(start as never) as AnyMachineSnapshot;
        for (const event of history as AnyEventObject[]) {
          [ours] = transition(machine, ours, event) as [AnyMachineSnapshot, unknown];
          [theirs] = transition(copy, theirs, event) as [AnyMachineSnapshot, unknown];
          expect(theirs.value).toBe(ours.value);
          expect(theirs.context).toEqual(ours.context);
        }
      }),
      { numRuns: 100 },
    );
  });
});

test('the context that a config begins with is the memory of the machine, maps as entries', () => {
  expect(configOf(kernelRules('linux-7.3').machines.iommufd).context).toEqual({
    objects: [],
    compatIoas: null,
    pasids: [],
    attachedAsZero: [],
  });
  expect(configOf(kernelRules('linux-7.3').machines.container).context).toEqual({ groups: 0 });
});

test('guards that must all hold are one name', () => {
  const { states } = configOf(kernelRules('linux-7.3').machines.group);
  expect(states['unowned']?.on['group.opened']).toEqual([
    { target: 'unowned', guard: 'hasNode && noCdevBound && fileClosed', actions: 'record' },
  ]);
});
