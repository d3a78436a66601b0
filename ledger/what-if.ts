/**
 * A what-if: a fork of a log at a moment, which goes on with attempts that were never made.
 *
 * The rules judge each attempt on the state of the fork, and an attempt that passes changes only
 * the fork. Its events are not evidence: their ids begin with `what-if:`, they have no hash, and no
 * log accepts them. `without` makes one that leaves out events of the log.
 *
 * @module
 */
import { callFrom, checkStart } from '../events/calls.ts';
import { WHAT_IF } from '../events/codec.ts';
import { objectGiven } from '../events/given.ts';
import { LedgerError, RequestError } from '../events/ledger-error.ts';
import { INSPECT } from '../events/inspect-symbol.ts';
import { SCHEMA, type Call, type Fact, type LedgerEvent } from '../events/vocabulary.ts';
import { freeAddress, groupStatus, hostOn, type GroupStatus } from '../host/attempt.ts';
import { DmaMappings } from '../host/dma-mappings.ts';
import { startAfter } from '../host/simulation.ts';
import type { Cause } from '../machines/causes.ts';
import type { LiveHost } from '../machines/live-host.ts';
import type { Outcome, Passed } from '../operations/row.ts';
import { processesOf, rowOf } from '../operations/table.ts';
import type { KeptLog } from './kept-log.ts';
import type { PresentTime } from './past-events.ts';
import { Past } from './questions.ts';
import type { Timeline } from '../projections/timeline.ts';
import { perform, type Port } from '../scenario/perform.ts';
import { whatIfWords } from '../words/inspect.ts';

/** An event of the log, or one of the fork, which did not happen: its id begins with `what-if:`. */
export type SupposedEvent = LedgerEvent & {
  readonly position: number;
  readonly schema: number;
  /** Null for an event of the fork: it is in no hash chain. */
  readonly hash: string | null;
};

/** The result of an attempt. */
export interface Attempted {
  /** Position of its last event; if it recorded none, of the last event before it. */
  readonly position: number;
  /** Such as `EBUSY`; null if it passed. */
  readonly errno: string | null;
  /** Cause of the refusal by the rules; null if it passed. */
  readonly cause: Cause | null;
  /** The descriptor that it opened. */
  readonly fd?: number;
  /** The id of the object that it made or attached to; the address of a mapping. */
  readonly id?: number;
  /** The process that it made. */
  readonly pid?: number;
  /** True if a driver change waits for the last file of its device. */
  readonly pending?: true;
  /** The status of the group that `group_status` asked for. */
  readonly status?: GroupStatus;
}

/** A fork of a log. It answers the same questions as a log. */
export class WhatIf extends Past<SupposedEvent> {
  readonly whatIf = true;
  /** The last position that it shares with the log; -1 if it shares none. */
  readonly from: number;
  readonly #time: string | null;
  /** DMA mappings of the fork; a log does not record them, so there are none before. */
  readonly #mappings = new DmaMappings();
  /** @internal */
  readonly port: Port;
  readonly #keep: () => KeptLog | null;
  #lastPid: number | null = null;
  /** What the call that is made returns if it makes a process or a mapping. */
  #wanted: Pick<Passed, 'pid' | 'id'> = {};

  /**
   * `keep` keeps the log that it forks. Throws `bad-request` if the host is unknown at this position.
   *
   * @internal
   */
  constructor(
    timeline: Timeline<SupposedEvent>,
    from: number,
    clock?: PresentTime,
    keep: () => KeptLog | null = () => null,
  ) {
    super(timeline.fork(from), clock);
    this.#keep = keep;
    if (!this.timeline.host.isKnown) {
      throw new RequestError(
        `cannot fork at position ${from}: the host is unknown there; ` +
          `this log begins at position ${this.first}`,
      );
    }
    this.from = from;
    this.#time = from < this.first ? null : timeline.at(from).time;
    this.port = {
      ...hostOn(
        () => this.live,
        this.#mappings,
        (fact) => this.happened(fact),
      ),
      newPid: () => this.#wanted.pid ?? this.#newPid(),
      addressFor: (pid) => this.#wanted.id ?? freeAddress(this.live, pid),
      made: (call, outcome) => this.made(call, outcome),
    };
  }

  /**
   * The host after the last event, which may be another object after the next.
   *
   * @internal
   */
  get live(): LiveHost {
    const { host } = this.timeline;
    host.mappings = this.#mappings;
    return host;
  }

  /**
   * Makes a call, with its arguments as the kernel sees them: descriptors and ids are numbers,
   * devices are PCI addresses. A refusal is a result, and is recorded as an event.
   *
   * Throws `bad-request`, and changes nothing, for an unknown operation, a missing or wrong
   * argument, a process that does not exist, or a group whose owner is unknown because of a
   * contradiction. Throws `unsupported` if the kernel dies of the call, which the fork then shows, and
   * at each attempt after that.
   */
  attempt(given: Call): Attempted {
    const call = callFrom(given);
    this.#checkAlive();
    this.#checkProcesses(call);
    this.#checkKnown(call);
    const outcome = perform(this.port, call);
    this.#checkAlive();
    const found = attempted(outcome, this.timeline.head);
    if (call.operation !== 'group_status' || outcome.errno !== null) return found;
    const status = groupStatus(this.live, call.pid, call.fd);
    return status === null ? found : { ...found, status };
  }

  /**
   * Makes a call again that has passed before: a process that it makes has the pid of then, a mapping
   * the address.
   *
   * @internal
   */
  attemptAs(call: Call, { pid, id }: Partial<Passed>): Attempted {
    this.#wanted = rowOf(call.operation).makes === null ? {} : { pid, id };
    try {
      return this.attempt(call);
    } finally {
      this.#wanted = {};
    }
  }

  /** Starts a process without open files. Returns its pid. Throws `bad-request` for a bad name. */
  start(process: { readonly comm: string; readonly cgroup?: string | null }): number {
    const { comm, cgroup = null } = objectGiven('start', 'an object with a comm', process);
    checkStart({ comm, cgroup });
    const pid = this.#newPid();
    this.happened({ type: 'process.started', data: { pid, comm, cgroup } });
    return pid;
  }

  protected override forkAt(position: number): WhatIf {
    return new WhatIf(this.timeline, position, this.clock, this.#keep);
  }

  /** @internal */
  override keep(): KeptLog | null {
    const kept = this.#keep();
    return kept === null ? null : { ...kept, until: this.from };
  }

  /** @internal */
  [INSPECT](): string {
    return whatIfWords({ from: this.from, own: this.timeline.head - this.from });
  }

  /**
   * Takes a fact of the fork that no attempt makes, such as a boot.
   *
   * @internal
   */
  happened(fact: Fact): void {
    const position = this.timeline.head + 1;
    const place = { position, schema: SCHEMA, hash: null };
    const event = { ...fact, ...place, id: `${WHAT_IF}${position}`, time: this.#time };
    this.timeline.take(event as SupposedEvent);
    this.#mappings.forget(this.timeline.host);
  }

  /**
   * Called with each call and its outcome.
   *
   * @internal
   */
  protected made(_call: Call, _outcome: Outcome): void {}

  /** One more than the highest pid that was ever in use; only the first call scans the events. */
  #newPid(): number {
    const { first, head, host } = this.timeline;
    this.#lastPid ??= startAfter(this.timeline.between(first, head)).pid - 1;
    let pid = this.#lastPid + 1;
    // Evidence may show processes without their start.
    while (host.processTable.process(pid) !== undefined) pid++;
    this.#lastPid = pid;
    return pid;
  }

  /** Throws if the kernel has died. */
  #checkAlive(): void {
    if (!this.live.isDead) return;
    const { head } = this.timeline;
    throw new LedgerError('unsupported', `the kernel has died at position ${head - 1}`);
  }

  #checkProcesses(call: Call): void {
    for (const pid of processesOf(call)) {
      if (this.timeline.host.processTable.process(pid) !== undefined) continue;
      throw new RequestError(
        `no process ${pid} exists at position ${this.timeline.head}: start() starts one`,
      );
    }
  }

  /** Throws if the rules cannot judge a call, because the owner of its group is unknown. */
  #checkKnown(call: Call): void {
    const { host } = this.timeline;
    const { checks } = host.rules.operations[call.operation];
    if (checks.every(({ asks }) => asks === 'call' || asks === 'descriptor')) return;
    const group = host.unknownGroup(call);
    if (group === null) return;
    throw new RequestError(
      `the owner of group ${group.group} is unknown since position ${group.unknownSince}: ` +
        `the rules cannot judge ${call.operation}`,
    );
  }
}

function attempted(outcome: Outcome, position: number): Attempted {
  if (outcome.errno !== null) {
    return { position, errno: outcome.errno, cause: (outcome.cause ?? null) as Cause | null };
  }
  const { fd, pid, isPending = false, hwpt, id = hwpt } = outcome;
  return {
    position,
    errno: null,
    cause: null,
    ...(fd !== undefined && { fd }),
    ...(id !== undefined && { id }),
    ...(pid !== undefined && { pid }),
    ...(isPending && { pending: true }),
  };
}
