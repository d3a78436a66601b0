/**
 * What can be asked of a history: its own questions, whoever has read it.
 *
 * @module
 */
import { profileNamed } from './host/settings.ts';
import type { RecordedEvent } from './log/store.ts';
import { changesBetween, historyOf } from './projections/history.ts';
import { invariantNamed } from './projections/invariants.ts';
import { HostAtMoment } from './projections/moment.ts';
import { explainRefusal, latestRefusal, NoRefusalError } from './projections/refusals.ts';
import { replayBy } from './projections/replay.ts';
import { resolveSubject } from './projections/resolve.ts';
import type {
  Bisection,
  Diff,
  Difference,
  Interval,
  Replay,
  Who,
  Why,
} from './projections/shapes.ts';
import { keyOf, type Subject } from './projections/subjects.ts';
import type { Timeline } from './projections/timeline.ts';
import { bisectBy } from './projections/violations.ts';
import { positionOf, type When } from './projections/when.ts';

export interface LogSelection {
  readonly subject?: string | undefined;
  readonly from?: When | undefined;
  readonly to?: When | undefined;
  readonly refused?: boolean | undefined;
}

/** A history that has been read, and what can be asked of it. Answers are plain data. */
export class Past {
  protected readonly timeline: Timeline<RecordedEvent>;

  constructor(timeline: Timeline<RecordedEvent>) {
    this.timeline = timeline;
  }

  /** The position of the first event that is here: 0, unless older volumes are not. */
  get first(): number {
    return this.timeline.first;
  }

  /** The events that are here, ascending from `first`. */
  get events(): readonly RecordedEvent[] {
    return this.timeline.events;
  }

  /** The event at a position, where it is here. */
  event(position: number): RecordedEvent | undefined {
    return this.timeline.events[position - this.first];
  }

  /** The host at a moment. */
  at(when: When = 'end'): HostAtMoment {
    return new HostAtMoment(this.timeline, this.#position(when));
  }

  /** The events themselves, ascending; `from` and `to` are both part of it. */
  log(selection: LogSelection = {}): RecordedEvent[] {
    const { subject, from = 'start', to = 'end', refused = false } = selection;
    const of = subject === undefined ? null : keyOf(this.#subject(subject, to));
    return this.timeline
      .select(this.#position(from), this.#position(to), of)
      .filter(({ type }) => !refused || type === 'operation.refused');
  }

  /** Owner, holders and waiters of a subject. */
  who(subject: string, { at = 'end' }: { readonly at?: When } = {}): Who {
    return this.at(at).who(subject);
  }

  /** The intervals of a subject's ownership. */
  history(subject: string): Interval[] {
    return historyOf(this.timeline, this.#subject(subject, 'end'));
  }

  /** Why the attempt at a position, or a subject's latest refusal, was refused. */
  why(attempt: number | string, { at = 'end' }: { readonly at?: When } = {}): Why {
    if (typeof attempt === 'number' || /^\d+$/.test(attempt)) {
      return explainRefusal(this.timeline, this.#position(attempt));
    }
    const until = this.#position(at);
    const subject = this.#subject(String(attempt), at);
    const position = latestRefusal(this.timeline, subject, until);
    if (position === null)
      throw new NoRefusalError(`nothing about ${attempt} was refused until then`);
    return explainRefusal(this.timeline, position);
  }

  /** What changed hands after the first moment, up to the second. */
  diff(from: When, to: When): Diff {
    return changesBetween(this.timeline, this.#position(from), this.#position(to));
  }

  /** The attempts that a profile judges otherwise than they went. Throws `RequestError`. */
  replay(by: { readonly profile: string }): readonly Difference[] {
    return this.replayed(by).differences;
  }

  /** As `replay`, with how many attempts were judged. */
  replayed({ profile }: { readonly profile: string }): Replay {
    return replayBy(profileNamed(profile), this.events, { isKnown: this.first === 0 });
  }

  /**
   * The first event after which an invariant does not hold, and the fewest events that still show
   * it; null where it holds throughout. Throws `UnknownInvariantError`.
   */
  bisect({ invariant }: { readonly invariant: string }): Bisection<RecordedEvent> | null {
    return bisectBy(this.timeline, invariantNamed(invariant));
  }

  #position(when: When): number {
    return positionOf(when, this.timeline);
  }

  #subject(word: string, when: When): Subject {
    return resolveSubject(this.timeline, word, this.#position(when));
  }
}
