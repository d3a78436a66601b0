/**
 * The machines of one kernel, with the tables that replay runs on.
 *
 * @module
 */
import type { AnyStateMachine } from 'xstate';
import { machineNames, type MachineName } from './admission.ts';
import { containerMachine, recordContainer } from './container.ts';
import { deviceMachine, recordDevice } from './device.ts';
import { deviceFileMachine } from './device-file.ts';
import { groupMachine, recordGroup } from './group.ts';
import { groupFileMachine, recordGroupFile } from './group-file.ts';
import { iommufdMachine, recordIommufd } from './iommufd.ts';
import { admissionOf, rulesOf, type Rules } from './operations.ts';
import type { Profile } from './profile.ts';
import { tabulate, type TransitionTable } from './transition-table.ts';

const builders = {
  device: deviceMachine,
  group: groupMachine,
  deviceFile: deviceFileMachine,
  groupFile: groupFileMachine,
  container: containerMachine,
  iommufd: iommufdMachine,
} satisfies Record<MachineName, unknown>;

/** What each machine remembers after an event; its `record` action, without the machine. */
const recorders = {
  device: recordDevice,
  group: recordGroup,
  deviceFile: (record: object) => record,
  groupFile: recordGroupFile,
  container: recordContainer,
  iommufd: recordIommufd,
} as unknown as Record<MachineName, (record: unknown, event: unknown) => unknown>;

export interface Machine {
  readonly machine: AnyStateMachine;
  readonly table: TransitionTable<AnyStateMachine>;
  readonly record: (record: unknown, event: unknown) => unknown;
}

/** One kernel: its lists of checks, and its machines guarded by them. */
export interface KernelRules {
  readonly operations: Rules;
  readonly machines: Readonly<Record<MachineName, Machine>>;
}

const compiled = new Map<Profile, KernelRules>();

/** The rules of a profile, made at the first call. */
export function kernelRules(profile: Profile): KernelRules {
  let rules = compiled.get(profile);
  if (rules === undefined) {
    rules = compile(rulesOf(profile));
    compiled.set(profile, rules);
  }
  return rules;
}

function compile(operations: Rules): KernelRules {
  const machines = machineNames.map((name) => {
    const machine = builders[name](admissionOf(operations, name)) as unknown as AnyStateMachine;
    return [name, { machine, table: tabulate(machine), record: recorders[name] }];
  });
  return { operations, machines: Object.fromEntries(machines) as Record<MachineName, Machine> };
}
