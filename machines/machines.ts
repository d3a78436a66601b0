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
export type MachineEngine = 'table' | 'xstate';

/** The rules of one profile: its operations with their checks, and the machines guarded by them. */
export interface KernelRules {
  readonly operations: Rules;
  readonly machines: Readonly<Record<MachineName, Machine>>;
}

const compiled = new Map<string, KernelRules>();

/** The rules of a profile. They are kept. */
export function kernelRules(
  profile: Profile,
  { engine = 'table' }: { readonly engine?: MachineEngine } = {},
): KernelRules {
  const key = `${profile} ${engine}`;
  let rules = compiled.get(key);
  if (rules === undefined) {
    rules =
      engine === 'table' ? new CompiledRules(rulesOf(profile)) : stepped(kernelRules(profile));
    compiled.set(key, rules);
  }
  return rules;
}

/** The rules of a profile. The machines are built when they are first asked for. */
class CompiledRules implements KernelRules {
  readonly operations: Rules;
  #machines: KernelRules['machines'] | null = null;

  constructor(operations: Rules) {
    this.operations = operations;
  }

  get machines(): KernelRules['machines'] {
    this.#machines ??= Object.fromEntries(
      machineNames.map((name) => [name, builders[name](admissionOf(this.operations, name))]),
    ) as KernelRules['machines'];
    return this.#machines;
  }
}

function stepped({ operations, machines }: KernelRules): KernelRules {
  const others = machineNames.map((name) => [name, steppedByXState(machines[name])]);
  return { operations, machines: Object.fromEntries(others) as KernelRules['machines'] };
}
