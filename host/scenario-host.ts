/**
 * `ScenarioHost`: a host that runs on the machines. Statements go in; answers and facts come out.
 *
 * @module
 */
import type { Call, Fact, Placed } from '../events/vocabulary.ts';
import { LiveHost } from '../machines/live-host.ts';
import type { Profile } from '../machines/profile.ts';
import { rowOf } from '../operations/table.ts';
import type { OperationStatement } from '../scenario/language.ts';
import { Player, type Answer } from '../scenario/player.ts';
import type { Topology } from '../scenario/topology.ts';
import { groupStatus, hostOn, type GroupStatus } from './attempt.ts';
import { DmaMappings } from './dma-mappings.ts';

/** The answer to an operation; for `group_status`, with the status of the group. */
export interface HostAnswer extends Answer, Partial<GroupStatus> {}

/**
 * Where a host begins: the position of its first event, its first pid, and the time of the last
 * event of the log that it goes on from (null if none).
 */
export interface HostStart {
  readonly position: number;
  readonly pid: number;
  readonly time: string | null;
}

/** Where a host begins on an empty log. */
export const firstStart: HostStart = { position: 0, pid: 101, time: null };

/** A host that plays statements. Its facts have consecutive positions. */
export class ScenarioHost {
  /** @internal */
  readonly live = new LiveHost();
  readonly #player: Player;
  readonly #mappings = new DmaMappings();
  #position: number;
  #facts: Placed<Fact>[] = [];

  constructor(topology: Topology, profile: Profile, start: HostStart = firstStart) {
    this.#position = start.position;
    this.live.mappings = this.#mappings;
    const host = hostOn(
      () => this.live,
      this.#mappings,
      (fact) => this.#happened(fact),
    );
    this.#player = new Player(host, topology, { profile, simulated: true }, start.pid);
  }

  /** Begins a sequence on a freshly booted host, and returns the facts of the boot. */
  boot(name: string): Placed<Fact>[] {
    return this.#collect(() => this.#player.boot(name)).facts;
  }

  /** The call that a statement would make in the current state. The state does not change. */
  foresee(statement: OperationStatement): Call {
    return this.#player.foresee(statement);
  }

  /** Plays an operation; returns its answer and the facts that follow from it, in order. */
  play(statement: OperationStatement): { answer: HostAnswer; facts: Placed<Fact>[] } {
    const { result, facts } = this.#collect(() => this.#player.play(statement));
    return { answer: withStatus(this.#player, this.live, statement, result), facts };
  }

  #collect<T>(run: () => T): { result: T; facts: Placed<Fact>[] } {
    this.#facts = [];
    const result = run();
    return { result, facts: this.#facts };
  }

  #happened(fact: Fact): void {
    const placed = { ...fact, position: this.#position++ };
    this.#facts.push(placed);
    this.live.take(placed);
    this.#mappings.forget(this.live);
  }
}

/** An answer with what it tells besides a number, after its statement was played. */
export function withStatus(
  player: Player,
  live: LiveHost,
  { operation, process: name, operands }: OperationStatement,
  answer: Answer,
): HostAnswer {
  if (rowOf(operation).tells !== 'group-status' || answer.rc !== 0) return answer;
  const { pid } = [...live.processes()].find(({ comm }) => comm === name) ?? {};
  if (pid === undefined) return answer;
  return { ...answer, ...groupStatus(live, pid, player.descriptor(pid, operands[0] ?? '')) };
}
