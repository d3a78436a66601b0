/**
 * What a counterexample of a property test prints: a scenario, with the commands that play it and open
 * its log as comments.
 *
 * @module
 */
import { printable } from './printable.ts';
import { counted } from './moments.ts';
import { NOT_KEPT, shellCommand } from './failures.ts';

/** Where a scenario is kept, with its topology and its log. */
export interface ScenarioFiles {
  readonly scenario: string;
  readonly topology: string;
  readonly log: string;
}

/** A scenario and its host. */
export interface ToldScenario {
  readonly profile: string;
  readonly devices: readonly {
    readonly name: string;
    readonly bdf: string;
    readonly group: string;
    readonly driver: string | null;
  }[];
  /** How its processes are called on the host, if otherwise. */
  readonly processes: readonly { readonly name: string; readonly comm: string }[];
  /** Commands that made the calls, if any. */
  readonly commands: readonly string[];
  readonly lines: readonly string[];
}

/** The text of a counterexample. `kept` has its files, or says why there are none. */
export function counterexampleWords(
  { profile, devices, processes, commands, lines }: ToldScenario,
  kept: ScenarioFiles | string,
): string {
  const hosts = devices.map(
    ({ name, bdf, group, driver }) =>
      `${name} is ${bdf} in group ${group}, driver ${driver ?? 'none'}`,
  );
  const files =
    typeof kept === 'string'
      ? [`${NOT_KEPT}: ${kept}`]
      : [
          shellCommand([
            'simulate',
            '--profile',
            profile,
            '--topology',
            kept.topology,
            kept.scenario,
          ]),
          shellCommand(['log', '--log', kept.log]),
        ];
  const names = processes.map(({ name, comm }) => `${name} is ${comm}`);
  const made = commands.length === 0 ? [] : [`made by: ${commands.join(', ')}`];
  const count = `${counted(lines.length, 'operation')} on ${profile}`;
  const comments = [count, ...hosts, ...names, ...made, ...files].map(
    (comment) => `# ${printable(comment)}`,
  );
  return ['', ...comments, ...lines, ''].join('\n');
}
