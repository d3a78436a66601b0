/**
 * A host that runs on the machines: calls in, answers and facts out.
 *
 * @module
 */
import type { Fact, Placed } from '../events/vocabulary.ts';
import type { Question } from '../machines/check.ts';
import { isViable } from '../machines/group.ts';
import { Kernel } from '../machines/kernel.ts';
import type { Profile } from '../machines/profile.ts';
import { rowOf } from '../operations/table.ts';
import type { OperationStatement } from '../scenario/language.ts';
import { Player, type Answer } from '../scenario/player.ts';
import type { Topology } from '../scenario/topology.ts';
import { hostOn } from './attempt.ts';
import { DmaMappings } from './dma-mappings.ts';

/** The answer to an operation, with what a group says of itself. */
export interface HostAnswer extends Answer {
  readonly viable?: boolean;
  readonly container_set?: boolean;
}

/** Where the host begins, when it goes on from a log: the next position and pid, the last time. */
export interface Start {
  readonly position: number;
  readonly pid: number;
  readonly time: string | null;
}

export const firstStart: Start = { position: 0, pid: 101, time: null };

export class VirtualHost {
  readonly kernel = new Kernel();
  readonly #player: Player;
  readonly #mappings = new DmaMappings();
  #position: number;
  #facts: Placed<Fact>[] = [];

  constructor(topology: Topology, profile: Profile, start: Start = firstStart) {
    this.#position = start.position;
    this.kernel.mappings = this.#mappings;
    const host = hostOn(
      () => this.kernel,
      this.#mappings,
      (fact) => this.#happened(fact),
    );
    this.#player = new Player(host, topology, { profile, simulated: true }, start.pid);
  }

  /** Begins a sequence on a freshly booted host, and gives the facts of the boot. */
  boot(name: string): Placed<Fact>[] {
    return this.#collect(() => this.#player.boot(name)).facts;
  }

  /** What a statement would put to the kernel as things stand. Nothing happens. */
  question(statement: OperationStatement): Question {
    return this.kernel.question(this.#player.foresee(statement));
  }

  /** Plays an operation and gives its answer and what happened, in order; nothing where nothing did. */
  play(statement: OperationStatement): { answer: HostAnswer; facts: Placed<Fact>[] } {
    const { result, facts } = this.#collect(() => this.#player.play(statement));
    const pid = this.#pidOf(statement.process);
    const { tells } = rowOf(statement.operation);
    if (tells !== 'group-status' || result.rc < 0 || pid === undefined) {
      return { answer: result, facts };
    }
    return { answer: { ...result, ...this.#status(pid, statement) }, facts };
  }

  #collect<T>(run: () => T): { result: T; facts: Placed<Fact>[] } {
    this.#facts = [];
    const result = run();
    return { result, facts: this.#facts };
  }

  #happened(fact: Fact): void {
    const placed = { ...fact, position: this.#position++ };
    this.#facts.push(placed);
    this.kernel.take(placed);
    this.#mappings.forget(this.kernel);
  }

  #pidOf(comm: string): number | undefined {
    return [...this.kernel.processes.processes()].find((process) => process.comm === comm)?.pid;
  }

  /** What GET_STATUS says of the group behind the first operand (vfio/group.c). */
  #status(pid: number, statement: OperationStatement) {
    const file = this.kernel.behind(pid, this.#player.descriptor(pid, statement.operands[0] ?? ''));
    if (file?.kind !== 'group') return {};
    const container_set = file.record.container !== null;
    return { viable: isViable(file.group.record, container_set), container_set };
  }
}
