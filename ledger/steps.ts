/**
 * Walks through a history event by event, forwards and backwards.
 *
 * @module
 */
import { INSPECT } from '../events/inspect-symbol.ts';
import type { Placed } from '../events/vocabulary.ts';
import type { MachineName } from '../machines/admission.ts';
import type { LiveHost } from '../machines/live-host.ts';
import type { Timeline } from '../projections/timeline.ts';
import type { When } from '../projections/when.ts';
import { printableText } from '../words/columns.ts';
import { cursorWords, stepWords } from '../words/inspect.ts';
import type { CommLookup } from '../words/events.ts';
import type { MomentOfPast } from './moment-of-past.ts';

/** An event that a machine took, and the states before and after it. */
export interface MachineStep {
  readonly machine: MachineName;
  /** The address of the device, the number of the group, or the id of the file. */
  readonly id: string;
  /** The event of the machine, such as `device.released`. One event of the log can cause several. */
  readonly event: string;
  readonly from: string;
  /** Equal to `from` if only the memory of the machine may have changed. */
  readonly to: string;
}

/** An event of a history, and the host on both sides of it. */
export class Step<E extends Placed = Placed> {
  readonly event: E;
  /** The host before the event. */
  readonly before: MomentOfPast;
  /** The host after the event. */
  readonly after: MomentOfPast;
  readonly #machines: () => readonly MachineStep[] | null;
  readonly #names: CommLookup;
  #transitions: readonly MachineStep[] | null | undefined;

  /** @internal */
  constructor(
    event: E,
    moments: { readonly before: MomentOfPast; readonly after: MomentOfPast },
    machines: () => readonly MachineStep[] | null,
    names: CommLookup,
  ) {
    this.event = event;
    this.before = moments.before;
    this.after = moments.after;
    this.#machines = machines;
    this.#names = names;
  }

  /**
   * What the machines took because of the event, in their order; empty for a refusal. Null if the
   * host is unknown, because the first events of the log are missing.
   */
  get transitions(): readonly MachineStep[] | null {
    this.#transitions ??= this.#machines();
    return this.#transitions;
  }

  /** @internal */
  [INSPECT](): string {
    return printableText(stepWords(this.event, this.transitions, this.#names));
  }
}

/** What a walk needs of its history. */
interface Walked<E extends Placed> {
  /** A timeline that nobody else moves. */
  readonly timeline: Timeline<E>;
  readonly names: CommLookup;
  /** Throws `bad-when`. */
  find(when: When): number;
  momentAt(position: number): MomentOfPast;
}

/**
 * A cursor over a history. It stands before the first event, at an event, or after the last one, and
 * does not disturb other cursors. It walks on to events that the ledger has read since.
 */
export class Steps<E extends Placed = Placed> implements Iterable<Step<E>> {
  readonly #walked: Walked<E>;
  /** The event that it stands at, or at which it last stood; below the first one at the start. */
  #position: number;
  #isPastEnd = false;
  /** A host after the event at `at`, from which the next step is played. */
  #played: { readonly host: LiveHost; readonly at: number } | null = null;

  /** @internal */
  constructor(walked: Walked<E>) {
    this.#walked = walked;
    this.#position = walked.timeline.first - 1;
  }

  /** The next event; null at the end, after the last one. */
  forward(): Step<E> | null {
    if (this.#position < this.#walked.timeline.head) return this.#stand(this.#position + 1);
    this.#isPastEnd = true;
    return null;
  }

  /** The event before; null at the start, before the first one. */
  back(): Step<E> | null {
    if (this.#isPastEnd) return this.#stand(this.#position);
    return this.#stand(Math.max(this.#position, this.#walked.timeline.first) - 1);
  }

  /** The event after which a moment is; null for `start`. Throws `bad-when`. */
  to(when: When): Step<E> | null {
    return this.#stand(this.#walked.find(when));
  }

  /** The steps from here on, as `forward` gives them. */
  *[Symbol.iterator](): Generator<Step<E>> {
    for (let step = this.forward(); step !== null; step = this.forward()) yield step;
  }

  /** @internal */
  [INSPECT](): string {
    const { first } = this.#walked.timeline;
    if (this.#isPastEnd) return cursorWords('past-end');
    return cursorWords(this.#position < first ? null : this.#position);
  }

  #stand(position: number): Step<E> | null {
    const { timeline, names } = this.#walked;
    this.#position = position;
    this.#isPastEnd = false;
    if (position < timeline.first) return null;
    const at = (moment: number) => this.#walked.momentAt(moment);
    const moments = { before: at(position - 1), after: at(position) };
    return new Step(timeline.at(position), moments, () => this.#machinesAt(position), names);
  }

  /** Plays an event, from the host that is at hand or else from a segment of the index. */
  #machinesAt(position: number): readonly MachineStep[] | null {
    const { timeline } = this.#walked;
    const event = timeline.at(position);
    if (!timeline.isKnownAt(position)) return null;
    const isNext = this.#played?.at === position - 1;
    const host = isNext ? this.#played!.host : timeline.playedAt(position - 1);
    const steps: MachineStep[] = [];
    host.observe((machine, before, { type }, after, id) => {
      steps.push({ machine, id, event: type, from: before.state, to: after.state });
    });
    host.take(event);
    host.observe(null);
    this.#played = { host, at: position };
    return steps;
  }
}
