/**
 * Operations of the scenario language as commands for `fc.commands` and `fc.modelRun`.
 *
 * @module
 */
import fc from 'fast-check';
import { RequestError } from '../events/ledger-error.ts';
import { parseLine, type OperationStatement } from '../scenario/language.ts';
import { hasSubjects } from '../scenario/topology-words.ts';
import type { VirtualHost } from '../virtual-host/virtual-host.ts';
import { integerIn } from './constraints.ts';
import { operations, type OperationConstraints } from './operations.ts';

/** What a command needs of the model of a run. */
export interface HostModel {
  readonly host: VirtualHost;
}

/** An operation as a command. It is the same operation whenever it runs. */
export class HostCommand implements fc.Command<HostModel, unknown> {
  readonly line: string;
  readonly #operation: OperationStatement;
  readonly #isTried: boolean;

  /**
   * `isTried`: it also runs if the kernel would refuse it. Throws `bad-request` for what is no
   * operation.
   */
  constructor(line: string, { isTried = true }: { readonly isTried?: boolean } = {}) {
    const operation = parseLine(line);
    if (operation?.kind !== 'operation') throw new RequestError(`no operation: '${line}'`);
    this.line = line;
    this.#operation = operation;
    this.#isTried = isTried;
  }

  /** Whether the host has the devices that it names, and would let it pass or is to be asked. */
  check({ host }: Readonly<HostModel>): boolean {
    const { live } = host.ledger;
    if (live.isDead || !hasSubjects(host.topology, this.#operation)) return false;
    return this.#isTried || live.judge(host.foresee(this.#operation)) === null;
  }

  /** Plays it. */
  run({ host }: HostModel): void {
    host.play(this.line);
  }

  toString(): string {
    return this.line;
  }
}

/** Which operations other processes make while a driver is tested. */
export interface CommandConstraints extends OperationConstraints {
  /** How many of a hundred run although the kernel refuses them; 20 by default. */
  readonly refused?: number | undefined;
}

/**
 * Commands for `fc.commands`, each with an operation. One that the kernel would refuse mostly does not
 * run. Throws `bad-request` for wrong constraints.
 */
export function hostCommands(constraints: CommandConstraints): fc.Arbitrary<HostCommand> {
  const refused = integerIn('refused', constraints.refused ?? REFUSED, 0, 100);
  return fc
    .record({ line: operations(constraints), chance: fc.integer({ min: 1, max: 100 }) })
    .map(({ line, chance }) => new HostCommand(line, { isTried: chance > 100 - refused }));
}

/** Of a hundred operations so many are refused. */
export const REFUSED = 20;
