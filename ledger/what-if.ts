/**
 * What if: a past that is a log's up to a moment, and goes on with attempts that nobody has made.
 *
 * The rules judge each attempt where it stands, and what they let through happens, here and nowhere
 * else. Nothing of it is evidence: its events say so in their ids, have no hash, and no log takes
 * them. An event of the past cannot be left out: what would have been instead is for the rules to
 * say, attempt by attempt.
 *
 * @module
 */
import { callFrom, checkStart } from '../events/calls.ts';
import { WHAT_IF } from '../events/codec.ts';
import { RequestError } from '../events/ledger-error.ts';
import { SCHEMA, type Call, type Fact, type LedgerEvent } from '../events/vocabulary.ts';
import { freeAddress, hostOn } from '../host/attempt.ts';
import { DmaMappings } from '../host/dma-mappings.ts';
import { startAfter } from '../host/simulation.ts';
import type { Cause } from '../machines/causes.ts';
import type { LiveHost } from '../machines/live-host.ts';
import type { Outcome } from '../operations/row.ts';
import { rowOf } from '../operations/table.ts';
import { Past } from './questions.ts';
import type { Timeline } from '../projections/timeline.ts';
import { perform, type Port } from '../scenario/perform.ts';

/** An event of the shared past, or one that did not happen: its id begins with `what-if:`. */
export type SupposedEvent = LedgerEvent & {
  readonly position: number;
  readonly schema: number;
  /** Null where it did not happen: then it is in no chain. */
  readonly hash: string | null;
};

/** How an attempt went. */
export interface Attempted {
  /** Of its last event; of the last one before it where it has none. */
  readonly position: number;
  /** Null where it passed. */
  readonly errno: string | null;
  readonly cause: Cause | null;
  /** The descriptor that was handed out. */
  readonly fd?: number;
  /** The id of the object that was made or attached to; the address of a mapping. */
  readonly id?: number;
  /** The process that was made. */
  readonly pid?: number;
  /** True where a driver change waits for the last file of its device. */
  readonly pending?: true;
}

/** A past that goes on differently, and every question that can be put to one. */
export class WhatIf extends Past<SupposedEvent> {
  readonly whatIf = true;
  /** The last position that is shared; -1 where nothing is. */
  readonly from: number;
  readonly #time: string | null;
  /** What is mapped for DMA stands in no log: of the past nothing is known to be. */
  readonly #mappings = new DmaMappings();
  readonly #port: Port;
  #lastPid: number | null = null;

  /**
   * Throws `RequestError` where nothing is known of the host at that position.
   *
   * @internal
   */
  constructor(timeline: Timeline<SupposedEvent>, from: number) {
    super(timeline.fork(from));
    if (!this.timeline.host.isKnown) {
      throw new RequestError(
        `nothing is known of the host at position ${from}, and so not what it would do: ` +
          `what is here begins at position ${this.first}`,
      );
    }
    this.from = from;
    this.#time = from < this.first ? null : timeline.at(from).time;
    this.#port = {
      ...hostOn(
        () => this.#host,
        this.#mappings,
        (fact) => this.#happened(fact),
      ),
      newPid: () => this.#newPid(),
      addressFor: (pid) => freeAddress(this.#host, pid),
    };
  }

  /** After something has happened it may be another one. */
  get #host(): LiveHost {
    const { host } = this.timeline;
    host.mappings = this.#mappings;
    return host;
  }

  /**
   * Makes a call, as the kernel would see it: descriptors and ids are numbers, devices go by their
   * addresses. A refusal is an answer, and an event like any other.
   *
   * Throws `RequestError`, and nothing happens, where there is no such operation or an argument is
   * missing or wrong, where the process does not live, and where the evidence contradicts the rules so that
   * who owns the group is not known.
   */
  attempt(given: Call): Attempted {
    const call = callFrom(given);
    this.#checkProcesses(call);
    this.#checkKnown(call);
    const outcome = perform(this.#port, call);
    return attempted(outcome, this.timeline.head);
  }

  /** Starts a process that has nothing open, and gives its pid. Throws `RequestError`. */
  start({ comm, cgroup = null }: { readonly comm: string; readonly cgroup?: string | null }) {
    checkStart({ comm, cgroup });
    const pid = this.#newPid();
    this.#happened({ type: 'process.started', data: { pid, comm, cgroup } });
    return pid;
  }

  protected override forkAt(position: number): WhatIf {
    return new WhatIf(this.timeline, position);
  }

  #happened(fact: Fact): void {
    const position = this.timeline.head + 1;
    const place = { position, schema: SCHEMA, hash: null };
    const event = { ...fact, ...place, id: `${WHAT_IF}${position}`, time: this.#time };
    this.timeline.take(event as SupposedEvent);
    this.#mappings.forget(this.timeline.host);
  }

  /** One above the highest that was ever in use; the events are gone through for it only once. */
  #newPid(): number {
    const { first, head, host } = this.timeline;
    this.#lastPid ??= startAfter(this.timeline.between(first, head)).pid - 1;
    let pid = this.#lastPid + 1;
    // Evidence that begins in the middle shows processes that never started.
    while (host.process(pid) !== undefined) pid++;
    this.#lastPid = pid;
    return pid;
  }

  #checkProcesses(call: Call): void {
    const pids = 'pid' in call ? [call.pid] : [];
    const given = call as Readonly<Record<string, unknown>>;
    for (const name of rowOf(call.operation).processes) pids.push(given[name] as number);
    for (const pid of pids) {
      if (this.timeline.host.process(pid) !== undefined) continue;
      throw new RequestError(
        `no process ${pid} lives at position ${this.timeline.head}: start() makes one`,
      );
    }
  }

  /** Unknown stays unknown: where the evidence contradicts the rules, they say nothing. */
  #checkKnown(call: Call): void {
    const { host } = this.timeline;
    const { checks } = host.rules.operations[call.operation];
    if (checks.every(({ asks }) => asks === 'call' || asks === 'descriptor')) return;
    const group = host.unknownGroup(call);
    if (group === null) return;
    throw new RequestError(
      `who owns group ${group.group} is not known since position ${group.unknownSince}: ` +
        `what would become of ${call.operation} is not known either`,
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
