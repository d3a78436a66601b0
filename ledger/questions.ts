/**
 * What can be asked of a history: its own questions, whoever has read it.
 *
 * @module
 */
import { LedgerError, RequestError } from '../events/ledger-error.ts';
import type { EventType, Placed } from '../events/vocabulary.ts';
import { profileNamed } from './settings.ts';
import type { RecordedEvent } from '../log/store.ts';
import type { HostAt } from '../machines/host-at.ts';
import type { Activity } from '../projections/activity.ts';
import { bisectWhere } from '../projections/bisect-where.ts';
import { everOwned } from '../projections/ever.ts';
import { claimantsOf } from '../projections/claimants.ts';
import { changesBetween, historyOf } from '../projections/history.ts';
import { incarnationsOf, numbered } from '../projections/incarnations.ts';
import { invariantNamed } from '../projections/audit/invariants.ts';
import { activityBetween } from '../projections/leaks.ts';
import { HostAtMoment } from '../projections/moment.ts';
import { overlapsOf } from '../projections/audit/overlaps.ts';
import { commAt } from '../projections/process-name.ts';
import { explainRefusal, latestRefusal } from '../projections/why/refusals.ts';
import { replayBy } from '../projections/replay.ts';
import { resolveSubject } from '../projections/resolve.ts';
import type {
  Bisection,
  Claimant,
  Diff,
  Difference,
  Incarnation,
  Interval,
  Overlap,
  Replay,
  Tenure,
  Wait,
  Who,
  Why,
} from '../projections/shapes.ts';
import { keyOf, type Subject } from '../projections/subjects.ts';
import type { Timeline } from '../projections/timeline.ts';
import { bisectBy } from '../projections/audit/violations.ts';
import { waitsFor } from '../projections/waits.ts';
import { positionOf, START, type When } from '../projections/when.ts';
import type { WhatIf } from './what-if.ts';
import { activityAnswer, violationAnswer, whereAnswer, whyAnswer } from '../words/answers.ts';
import { eventWords } from '../words/events.ts';
import { whyWords } from '../words/why.ts';

export interface LogSelection {
  readonly subject?: string | undefined;
  readonly from?: When | undefined;
  readonly to?: When | undefined;
  readonly refused?: boolean | undefined;
}

/** One of the two. */
interface BisectQuestion {
  readonly invariant?: string | undefined;
  readonly where?: string | undefined;
}

/** A history that has been read, and what can be asked of it. Answers are plain data. */
export abstract class Past<E extends Placed = RecordedEvent> {
  /** @internal */
  protected readonly timeline: Timeline<E>;

  /** @internal */
  constructor(timeline: Timeline<E>) {
    this.timeline = timeline;
  }

  /** The position of the first event that is here: 0, unless older volumes are not. */
  get first(): number {
    return this.timeline.first;
  }

  /** The events that are here, ascending from `first`; those of a long log do not fit in memory. */
  get events(): readonly E[] {
    return this.timeline.events;
  }

  /** How many events are here. */
  get length(): number {
    return this.timeline.head + 1 - this.first;
  }

  /** Whether any event has a time. */
  get isTimed(): boolean {
    return this.timeline.isTimed;
  }

  /** The events one by one, or those of a type. */
  each(type: EventType | null = null): Iterable<E> {
    return this.timeline.select(this.first, this.timeline.head, null, type);
  }

  /** The event at a position, where it is here. */
  event(position: number): E | undefined {
    const isHere = position >= this.first && position <= this.timeline.head;
    return isHere && Number.isInteger(position) ? this.timeline.at(position) : undefined;
  }

  /**
   * How the host stood after a position, by id and in plain values. Once anything else is asked of
   * the past it throws `StaleViewError`: ask for it anew.
   */
  hostAt(position: number): HostAt {
    this.checkPosition(position);
    return this.timeline.hostAt(position);
  }

  /** What a process was called when an event happened; null where nobody has said. */
  commOf(pid: number, position: number): string | null {
    this.checkPosition(position);
    return commAt(this.timeline, pid, position);
  }

  /** The host at a moment. */
  at(when: When = 'end'): MomentOfPast {
    const position = this.#position(when);
    return new MomentOfPast(this.timeline, position, () => this.forkAt(position));
  }

  /** The events themselves, ascending; `from` and `to` are both part of it. */
  log(selection: LogSelection = {}): E[] {
    const { subject, from = 'start', to = 'end', refused = false } = selection;
    const of = subject === undefined ? null : keyOf(this.#subject(subject, to));
    const type = refused ? 'operation.refused' : null;
    return [...this.timeline.select(this.#position(from), this.#position(to), of, type)];
  }

  /** Owner, holders and waiters of a subject. */
  who(subject: string, { at = 'end' }: { readonly at?: When } = {}): Who {
    return this.at(at).who(subject);
  }

  /** The intervals of a subject's ownership. */
  history(subject: string): Interval[] {
    const found = this.#subject(subject, 'end');
    const intervals = historyOf(this.timeline, found);
    if (found.kind !== 'group') return intervals;
    const incarnations = incarnationsOf(this.timeline, found.id);
    return incarnations.length < 2 ? intervals : numbered(intervals, incarnations);
  }

  /** What the number of a group, or a path such as /dev/vfio/26, meant from when to when. */
  incarnations(subject: string): Incarnation[] {
    const found = this.#subject(subject, 'end');
    return found.kind === 'group' ? incarnationsOf(this.timeline, found.id) : [];
  }

  /** Who had a claim on a device, or on one of a group; claims are no ownership. */
  claimants(subject: string, { at = 'end' }: { readonly at?: When } = {}): Claimant[] {
    return claimantsOf(this.timeline, this.#subject(subject, at), this.#position(at));
  }

  /**
   * The intervals of ownership, of a subject or of every group, in which somebody ever had a hand:
   * kept the owner alive at any time. Those whose owner is unknown are among them, so that none
   * says "never". `who` is `pid:N`, a process's name, or any part of a control group's path.
   */
  everOwned(who: string, { subject }: { readonly subject?: string | undefined } = {}): Tenure[] {
    const of = subject === undefined ? null : this.#subject(subject, 'end');
    return everOwned(this.timeline, who, of);
  }

  /** Who waited for a device, for one of a group, or for any, until it was let go. */
  waits(subject?: string): Wait[] {
    return waitsFor(this.timeline, this.#place(subject));
  }

  /**
   * Where the evidence claims several owners at a time for a group, a device's or any. Such are
   * never owners by the rules; it is the evidence that is asked.
   */
  overlaps(subject?: string): Overlap[] {
    return overlapsOf(this.timeline, this.#place(subject));
  }

  /** Why the attempt at a position, or a subject's latest refusal, was refused. */
  why(attempt: number | string, { at = 'end' }: { readonly at?: When } = {}): Why {
    const asked = String(attempt);
    if (typeof attempt === 'number' || /^\d+$/.test(asked)) {
      return whyAnswer(explainRefusal(this.timeline, this.#position(attempt)));
    }
    const until = this.#position(at);
    const position = latestRefusal(this.timeline, this.#subject(asked, at), until);
    if (position === null) {
      throw new LedgerError('not-a-refusal', `nothing about ${asked} was refused until then`);
    }
    return whyAnswer(explainRefusal(this.timeline, position));
  }

  /**
   * An answer of `why` in the command line's own words: lines, without colour. Throws `RequestError`
   * where it is no answer about this history.
   */
  explain(found: Why): string {
    if (this.#typeOf(found) !== 'operation.refused' || !Array.isArray(found.because)) {
      throw new RequestError('explain takes what why has answered about this history');
    }
    return whyWords(found, this).join('\n');
  }

  /**
   * An event in the command line's own words, without a full stop: `P1[101] closed fd 4`. Throws
   * `RequestError` where it is no event of this history.
   */
  describe(event: E): string {
    const type = this.#typeOf(event);
    if (type === null || type !== event.type) {
      throw new RequestError('describe takes an event of this history');
    }
    return eventWords(event, this);
  }

  /** The kind of the event at the position of what callers without types may give; null where none is. */
  #typeOf(given: { readonly position: number } | null | undefined): EventType | null {
    const position = given?.position;
    return Number.isInteger(position) ? (this.event(position ?? -1)?.type ?? null) : null;
  }

  /** What changed hands after the first moment, up to the second. */
  diff(from: When, to: When): Diff {
    return changesBetween(this.timeline, this.#position(from), this.#position(to));
  }

  /**
   * What processes did with VFIO files after the first moment, up to the second, and what they did
   * not release: the processes with the pids `by`, else all. A pid that the log does not know has
   * done nothing. Throws `RequestError` where the second moment is before the first, where nothing
   * is known of the host at the second, and where a pid is none.
   */
  between(
    from: When,
    to: When,
    { by }: { readonly by?: readonly number[] | undefined } = {},
  ): Activity {
    const [after, until] = [this.#position(from), this.#position(to)];
    if (until < after) throw new RequestError(`between: ${to} is before ${from}`);
    if (!this.timeline.isKnownAt(until)) {
      throw new RequestError(
        `between: nothing is known of the host at position ${until}, and so not what is open: ` +
          `what is here begins at position ${this.first}, and the host has not booted since`,
      );
    }
    const isPid = (pid: unknown) => Number.isInteger(pid) && Number(pid) >= 0;
    if (by !== undefined && (!Array.isArray(by) || !by.every(isPid))) {
      throw new RequestError(`between: by takes pids, not '${String(by)}'`);
    }
    const pids = by === undefined ? null : new Set(by);
    return activityAnswer(activityBetween(this.timeline, after, until, pids));
  }

  /** The attempts that a profile judges otherwise than they went. Throws `RequestError`. */
  replay(by: { readonly profile: string }): readonly Difference[] {
    return this.replayed(by).differences;
  }

  /** As `replay`, with how many attempts were judged. */
  replayed({ profile }: { readonly profile: string }): Replay {
    return replayBy(profileNamed(profile), this.each(), { isKnown: this.first === 0 });
  }

  /**
   * The first event after which an invariant does not hold, or after which an expression over the
   * table does, `group 26 owner.kind = iommufd and holders.comm ~ qemu`, and the fewest events that
   * still show it; null where there is none. Throws `RequestError`, a `WhereError` for what is no
   * expression, and `unknown-subject` where it names what the log does not know.
   */
  bisect({ invariant, where }: BisectQuestion): Bisection<E> | null {
    if (invariant !== undefined && where === undefined) {
      return violationAnswer(bisectBy(this.timeline, invariantNamed(invariant)));
    }
    if (where === undefined || invariant !== undefined) {
      throw new RequestError('it takes either an invariant or an expression to look for');
    }
    return whereAnswer(bisectWhere(this.timeline, String(where)));
  }

  /** What would have been, had it gone on differently after a position. */
  protected abstract forkAt(position: number): WhatIf;

  /** Throws `bad-when` unless it is the position of an event, or that before the first. */
  protected checkPosition(position: number): void {
    const { head } = this.timeline;
    if (Number.isInteger(position) && position >= START && position <= head) return;
    const end = head === START ? 'the log is empty' : `the log ends at position ${head}`;
    throw new LedgerError('bad-when', `there is no position ${position}: ${end}`);
  }

  #position(when: When): number {
    return positionOf(when, this.timeline);
  }

  #subject(word: string, when: When): Subject {
    return resolveSubject(this.timeline, word, this.#position(when));
  }

  /** A device or a group, where one is named, for what is asked of these alone. */
  #place(word: string | undefined): Subject | null {
    const subject = word === undefined ? null : this.#subject(word, 'end');
    if (subject === null || subject.kind === 'device' || subject.kind === 'group') return subject;
    throw new RequestError(`'${word}' is a ${subject.kind}; this is asked of devices and groups`);
  }
}

/** The host at a moment of a past, from where it may be asked what else would have been. */
class MomentOfPast extends HostAtMoment {
  readonly #fork: () => WhatIf;

  /** @internal */
  constructor(timeline: Timeline, position: number, fork: () => WhatIf) {
    super(timeline, position);
    this.#fork = fork;
  }

  /**
   * A what-if: the same past up to this moment, to go on from with attempts that nobody has made.
   * Whatever is tried on it, this past stays as it is. Throws `RequestError` where nothing is known
   * of the host.
   */
  fork(): WhatIf {
    return this.#fork();
  }
}
