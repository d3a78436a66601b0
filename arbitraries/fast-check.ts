/**
 * `vfio-ledger/fast-check`: arbitraries of hosts, scenarios and operations, for property tests of
 * programs that open VFIO devices.
 *
 * @module
 */
import type fc from 'fast-check';
import type { VirtualHost } from '../virtual-host/virtual-host.ts';
import { RunArbitrary, type HostRun, type RunConstraints } from './host-run.ts';
import type { DrawnScenario } from './drawn-scenario.ts';
import { ScenarioArbitrary, type ScenarioConstraints } from './scenarios.ts';

export {
  HostCommand,
  hostCommands,
  type CommandConstraints,
  type HostModel,
} from './host-command.ts';
export type { HostRun, RunConstraints } from './host-run.ts';
export type { HostConstraints } from './host-settings.ts';
export { operations, type OperationConstraints } from './operations.ts';
export type { DrawnScenario } from './drawn-scenario.ts';
export type { ScenarioConstraints } from './scenarios.ts';
export { processes, topologies, type TopologyConstraints } from './topologies.ts';

/**
 * Scenarios: operations of several processes, legal ones more often than such as the kernel refuses.
 * Throws `bad-request` for wrong constraints.
 */
export function scenarios(constraints: ScenarioConstraints = {}): fc.Arbitrary<DrawnScenario> {
  return new ScenarioArbitrary(constraints);
}

/**
 * Virtual hosts on which a scenario was played; with `maxOperations: 0`, as they are after their boot.
 * A counterexample prints as a scenario of all calls, those of the program under test too. Throws
 * `bad-request` for wrong constraints.
 */
export function hosts(constraints: ScenarioConstraints = {}): fc.Arbitrary<VirtualHost> {
  return scenarios(constraints).map((scenario) => scenario.host());
}

/**
 * Model-based runs: a host as it is after its boot, and commands for `fc.modelRun`, each from one of the
 * arbitraries. A counterexample prints as a scenario of all calls. Throws `bad-request` for wrong
 * constraints.
 */
export function hostRuns<M extends object, R, P = void, A extends boolean = false>(
  commands: readonly fc.Arbitrary<fc.ICommand<M, R, P, A>>[],
  constraints: RunConstraints = {},
): fc.Arbitrary<HostRun<M, R, P, A>> {
  return new RunArbitrary(commands, constraints);
}
