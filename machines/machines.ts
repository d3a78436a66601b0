/**
 * The XState machines of one kernel profile, guarded by its rules and tabulated for replay.
 *
 * @module
 */
import { machineNames, type Admission, type MachineName } from './admission.ts';
import { containerMachine } from './container.ts';
import { deviceMachine } from './device.ts';
import { deviceFileMachine } from './device-file.ts';
import type { Machine } from './flat-machine.ts';
import { groupMachine } from './group.ts';
import { groupFileMachine } from './group-file.ts';
import { iommufdMachine } from './iommufd.ts';
import { admissionOf, rulesOf, type Rules } from './operations.ts';
import type { Profile } from './profile.ts';
import { steppedByXState } from './xstate-engine.ts';

const builders: Readonly<Record<MachineName, (admission: Admission) => Machine>> = {
  device: deviceMachine,
  group: groupMachine,
  deviceFile: deviceFileMachine,
  groupFile: groupFileMachine,
  container: containerMachine,
  iommufd: iommufdMachine,
};

/** What steps the machines: the table read out of each machine, or XState's own `transition()`. */
export type Engine = 'table' | 'xstate';

/** The rules of one profile: its operations with their checks, and the machines guarded by them. */
export interface KernelRules {
  readonly operations: Rules;
  readonly machines: Readonly<Record<MachineName, Machine>>;
}

const compiled = new Map<string, KernelRules>();

/** The rules of a profile. They are compiled at the first call and kept. */
export function kernelRules(
  profile: Profile,
  { engine = 'table' }: { readonly engine?: Engine } = {},
): KernelRules {
  const key = `${profile} ${engine}`;
  let rules = compiled.get(key);
  if (rules === undefined) {
    rules = engine === 'table' ? compile(rulesOf(profile)) : stepped(kernelRules(profile));
    compiled.set(key, rules);
  }
  return rules;
}

function compile(operations: Rules): KernelRules {
  const machines = machineNames.map((name) => [
    name,
    builders[name](admissionOf(operations, name)),
  ]);
  return { operations, machines: Object.fromEntries(machines) as KernelRules['machines'] };
}

function stepped({ operations, machines }: KernelRules): KernelRules {
  const others = machineNames.map((name) => [name, steppedByXState(machines[name])]);
  return { operations, machines: Object.fromEntries(others) as KernelRules['machines'] };
}
