/**
 * Trials: a history is played again, each time without one of its events.
 *
 * The history is played once as it was, and the host is kept at every few events. A trial starts
 * from the last host kept before the event that it leaves out. It ends early where the host is
 * again as it was in the history, or in an earlier trial: from there on, both go on alike.
 *
 * @module
 */
import type { Fact, Placed } from '../../events/vocabulary.ts';
import type { KernelCheckpoint } from '../../machines/checkpoint.ts';
import { LiveHost } from '../../machines/live-host.ts';
import { Mappings } from './mappings.ts';
import { takeIfPossible } from './possible.ts';

/** Events between two kept hosts, at least: restoring a host takes as long as ten events. */
const STRIDE_MIN = 16;
/** Hosts that are kept, at most. */
const KEPT_MAX = 8192;
/** A trial is compared with the history at so many kept hosts after the event that it leaves out. */
const NEAR = 4;
/** At every 16th kept host it is compared with the history and with earlier trials. */
const FAR = 16;

/** The host before an event of the history. */
interface KeptHost {
  readonly saved: KernelCheckpoint;
  readonly size: string;
  /** The last hosts of the plays that came by here, by their states here. */
  readonly ends: Map<string, LiveHost>;
}

export class Trials {
  readonly events: readonly Placed<Fact>[];
  readonly #indexes: ReadonlyMap<number, number>;
  readonly #stride: number;
  readonly #kept: KeptHost[] = [];
  readonly #mappings = new Mappings();
  readonly #ends = new Map<number, LiveHost>();
  /** The host after the history. It must not take events. */
  readonly end = new LiveHost();

  /**
   * `events` ascend by position. Those that others have made impossible have no effect
   * (`takeIfPossible`).
   */
  constructor(events: readonly Placed<Fact>[]) {
    this.events = events;
    this.#indexes = new Map(events.map(({ position }, index) => [position, index]));
    this.#stride = Math.max(STRIDE_MIN, Math.ceil(events.length / KEPT_MAX));
    const { end } = this;
    end.processTable.observer = this.#mappings;
    for (const [index, event] of events.entries()) {
      if (index % this.#stride === 0)
        this.#kept.push({ saved: end.save(), size: sizeOf(end), ends: new Map() });
      this.#mappings.begin(index);
      takeIfPossible(end, event);
      this.#mappings.end();
    }
    end.processTable.observer = null;
  }

  /**
   * A host on which every call ends as after the history without the event at a position, and
   * without the events that only it made possible. It must not take events.
   */
  without(position: number): LiveHost {
    const index = this.#indexes.get(position);
    if (index === undefined || this.#isIdle(index)) return this.end;
    const end = this.#ends.get(position) ?? this.#play(index);
    this.#ends.set(position, end);
    return end;
  }

  /** Trials of the history without the events at some positions. */
  withoutAll(positions: ReadonlySet<number>): Trials {
    return new Trials(this.events.filter(({ position }) => !positions.has(position)));
  }

  /** Whether an event only made or removed a mapping that decides nothing. */
  #isIdle(index: number): boolean {
    const type = this.events[index]?.type;
    if (type !== 'mapping.created' && type !== 'mapping.removed') return false;
    // On a host that is assumed, calls may have released files that processes still held.
    return !this.end.isAssumed && this.#mappings.isIdle(index);
  }

  /** Plays the history without one event. */
  #play(out: number): LiveHost {
    const first = Math.floor(out / this.#stride);
    const host = LiveHost.restored(this.#keptAt(first).saved);
    const passed: { readonly ends: Map<string, LiveHost>; readonly state: string }[] = [];
    let end: LiveHost | undefined;
    for (let at = first; at < this.#kept.length && end === undefined; at++) {
      if (at > first && at % FAR === 0) {
        const [ends, state] = [this.#endsAt(at), stateOf(host.save())];
        end = ends.get(state);
        passed.push({ ends, state });
      } else if (at > first && at <= first + NEAR && this.#isAsKept(at, host)) end = this.end;
      if (end === undefined) this.#playOn(host, at, out);
    }
    for (const { ends, state } of passed) ends.set(state, end ?? host);
    return end ?? host;
  }

  /** Plays the events from one kept host to the next. */
  #playOn(host: LiveHost, at: number, out: number): void {
    const start = at * this.#stride;
    const to = Math.min(start + this.#stride, this.events.length);
    for (let index = start; index < to; index++) {
      const event = this.events[index];
      if (index !== out && event !== undefined) takeIfPossible(host, event);
    }
  }

  #isAsKept(at: number, host: LiveHost): boolean {
    const { size } = this.#keptAt(at);
    return size === sizeOf(host) && this.#endsAt(at).get(stateOf(host.save())) === this.end;
  }

  #endsAt(at: number): Map<string, LiveHost> {
    const { saved, ends } = this.#keptAt(at);
    if (ends.size === 0) ends.set(stateOf(saved), this.end);
    return ends;
  }

  #keptAt(at: number): KeptHost {
    const kept = this.#kept[at];
    if (kept === undefined) throw new RangeError(`no host ${at} of ${this.#kept.length} is kept`);
    return kept;
  }
}

/** A state as text: all that decides what later events do to the host. */
function stateOf({ position: _position, ...state }: KernelCheckpoint): string {
  return JSON.stringify(state);
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
