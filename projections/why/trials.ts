/**
 * Trials: a history is played again, each time without one of its events, and the host that it ends
 * in is judged.
 *
 * The history is played once as it was, and the host is kept at every few events: the more the host
 * has, the fewer. A trial starts from the last host kept before the event that it leaves out. It ends
 * early where the host is again as it was in the history, or in an earlier trial: from there on, both
 * go on alike. Of the hosts that trials end in, only the verdicts are kept.
 *
 * @module
 */
import type { Attempt } from '../../events/vocabulary.ts';
import type { KernelCheckpoint } from '../../machines/checkpoint.ts';
import { LiveHost } from '../../machines/live-host.ts';
import { IdleEvents } from './idle-events.ts';
import type { PlayedEvents } from './played-events.ts';
import { takeIfPossible } from './possible.ts';

/** Events between two kept hosts, at least: restoring a host takes as long as ten events. */
const STRIDE_MIN = 16;
/** What the kept hosts may have together: processes, descriptors, mappings, files and devices. */
const KEPT_MAX = 200_000;
/** A trial is compared with the history at so many kept hosts after the event that it leaves out. */
const NEAR = 4;
/** At every 16th kept host it is compared with the history and with earlier trials. */
const FAR = 16;
/** The states of earlier trials that are kept, in characters. */
const STATES_MAX = 16 * 2 ** 20;

/** The host before an event of the history. */
interface KeptHost<V> {
  readonly saved: KernelCheckpoint;
  readonly size: string;
  /** The verdicts on the plays that came by here, by their states here. */
  readonly ends: Map<string, V>;
}

/** `V`: the verdict on a host. */
export class Trials<V> {
  readonly events: PlayedEvents;
  readonly #judge: (host: LiveHost) => V;
  /** Positions of the events that are left out of all trials. */
  readonly #out: ReadonlySet<number>;
  readonly #call: Attempt;
  readonly #idle: IdleEvents;
  readonly #verdicts = new Map<number, V>();
  #stride = STRIDE_MIN;
  #kept: KeptHost<V>[] = [];
  #keptParts = 0;
  #stateLength = 0;
  /** The host after the history. It must not take events. */
  readonly end = new LiveHost();
  /** The verdict on it. */
  readonly verdict: V;

  /**
   * Events that others have made impossible have no effect (`takeIfPossible`). `judge` judges `call`.
   * `out`: positions of events that are not played.
   */
  constructor(
    events: PlayedEvents,
    judge: (host: LiveHost) => V,
    call: Attempt,
    out: ReadonlySet<number> = new Set(),
  ) {
    this.events = events;
    this.#judge = judge;
    this.#call = call;
    this.#out = out;
    this.#idle = new IdleEvents(events, call, out);
    const { end } = this;
    end.processTable.observer = this.#idle;
    let index = 0;
    for (const event of events.range(0, events.length)) {
      if (index % this.#stride === 0) this.#keep();
      if (!out.has(event.position)) {
        this.#idle.begin(index);
        takeIfPossible(end, event);
        this.#idle.end();
      }
      index++;
    }
    end.processTable.observer = null;
    this.verdict = judge(end);
  }

  /** Keeps the host as it is; if they have too much, every second one is dropped. */
  #keep(): void {
    const saved = this.end.save();
    this.#kept.push({ saved, size: sizeOf(this.end), ends: new Map() });
    this.#keptParts += partsOf(saved);
    if (this.#keptParts <= KEPT_MAX) return;
    this.#kept = this.#kept.filter((_, at) => at % 2 === 0);
    this.#keptParts = this.#kept.reduce((sum, kept) => sum + partsOf(kept.saved), 0);
    this.#stride *= 2;
  }

  /**
   * The verdict on the host after the history without the events at a position, and without those
   * that only these made possible.
   */
  without(position: number): V {
    const index = this.events.indexOf(position);
    if (index === undefined || this.#out.has(position) || this.#isIdle(index)) return this.verdict;
    const known = this.#verdicts.get(position);
    if (known !== undefined) return known;
    const verdict = this.#play(index, position);
    this.#verdicts.set(position, verdict);
    return verdict;
  }

  /** Trials of the history without the events at some positions. */
  withoutAll(positions: ReadonlySet<number>): Trials<V> {
    const out = new Set([...this.#out, ...positions]);
    return new Trials(this.events, this.#judge, this.#call, out);
  }

  /** Whether an event decides nothing, and no other follows from it. */
  #isIdle(index: number): boolean {
    const [event, next] = this.events.range(index, index + 2);
    if (event === undefined || next?.position === event.position) return false;
    // On a host that is assumed, calls may have released files that processes still held.
    return !this.end.isAssumed && this.#idle.isIdle(index, event);
  }

  /** Plays the history without the events at the position `out`, the first of which has an index. */
  #play(index: number, out: number): V {
    const first = Math.floor(index / this.#stride);
    const host = LiveHost.restored(this.#keptAt(first).saved);
    const passed: { readonly ends: Map<string, V>; readonly state: string }[] = [];
    let verdict: V | undefined;
    for (let at = first; at < this.#kept.length && verdict === undefined; at++) {
      const isFar = at % FAR === 0;
      const isNear = at <= first + NEAR && this.#keptAt(at).size === sizeOf(host);
      if (at > first && (isFar || isNear)) {
        const [ends, state] = [this.#endsAt(at), stateOf(host.save())];
        verdict = ends.get(state);
        if (isFar) passed.push({ ends, state });
      }
      if (verdict === undefined) this.#playOn(host, at, out);
    }
    verdict ??= this.#judge(host);
    for (const { ends, state } of passed) {
      if (this.#stateLength > STATES_MAX) break;
      this.#stateLength += state.length;
      ends.set(state, verdict);
    }
    return verdict;
  }

  /** Plays the events from one kept host to the next. */
  #playOn(host: LiveHost, at: number, out: number): void {
    const start = at * this.#stride;
    for (const event of this.events.range(start, start + this.#stride)) {
      const { position } = event;
      if (position !== out && !this.#out.has(position)) takeIfPossible(host, event);
    }
  }

  #endsAt(at: number): Map<string, V> {
    const { saved, ends } = this.#keptAt(at);
    if (ends.size === 0) ends.set(stateOf(saved), this.verdict);
    return ends;
  }

  #keptAt(at: number): KeptHost<V> {
    const kept = this.#kept[at];
    if (kept === undefined) throw new RangeError(`no host ${at} of ${this.#kept.length} is kept`);
    return kept;
  }
}

/** A state as text: all that decides what later events do to the host. */
function stateOf({ position: _position, ...state }: KernelCheckpoint): string {
  return JSON.stringify(state);
}

/** How many things a kept host has. */
function partsOf({ groups, devices, files, processes }: KernelCheckpoint): number {
  const ofProcesses = processes.reduce(
    (sum, { descriptors, mappings }) => sum + descriptors.length + mappings.length,
    processes.length,
  );
  return ofProcesses + groups.length + devices.length + files.length;
}

/** Numbers that differ between most states that differ, and that take less time than a state. */
function sizeOf({ processTable }: LiveHost): string {
  let [processes, descriptors, mappings] = [0, 0, 0];
  for (const process of processTable.processes()) {
    processes++;
    descriptors += process.descriptors.size;
    mappings += process.mappings.size;
  }
  return `${processes} ${descriptors} ${mappings}`;
}
