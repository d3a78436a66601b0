/**
 * All questions that a history answers, whether it is a log or a what-if.
 *
 * @module
 */
import { objectGiven, optionsGiven, pidsGiven, textGiven } from '../events/given.ts';
import { LedgerError, RequestError, type ErrorCode } from '../events/ledger-error.ts';
import type { EventType, Placed } from '../events/vocabulary.ts';
import { profileNamed } from './settings.ts';
import { withoutEvents } from './without.ts';
import type { RecordedEvent } from '../log/store.ts';
import type { Activity } from '../projections/activity.ts';
import { askThrough } from '../projections/asked.ts';
import { bisectWhere } from '../projections/bisect-where.ts';
import { coverageOf, type Coverage } from '../projections/coverage.ts';
import { everOwned } from '../projections/ever.ts';
import { claimantsOf } from '../projections/claimants.ts';
import { changesBetween, historyOf } from '../projections/history.ts';
import { incarnationsOf, numbered } from '../projections/incarnations.ts';
import { invariantNamed } from '../projections/audit/invariants.ts';
import { activityBetween } from '../projections/leaks.ts';
import { overlapsOf } from '../projections/audit/overlaps.ts';
import { explainRefusal, latestRefusal } from '../projections/why/refusals.ts';
import { replayBy, type Difference, type Replay } from '../projections/replay.ts';
import { groupWords, resolveSubject } from '../projections/resolve.ts';
import type { Incarnation, Interval, Tenure } from '../projections/interval-shapes.ts';
import type { Bisection, Claimant, Diff, Overlap, Wait, Who } from '../projections/shapes.ts';
import { keyOf, type Subject } from '../projections/subjects.ts';
import { bisectBy } from '../projections/audit/violations.ts';
import { waitsFor } from '../projections/waits.ts';
import { statesOf, type When } from '../projections/when.ts';
import type { Why } from '../projections/why/why.ts';
import { MomentOfPast } from './moment-of-past.ts';
import { withOrigin } from './origins.ts';
import { PicturedPast } from './pictured-past.ts';
import { Steps } from './steps.ts';
import type { WhatIf } from './what-if.ts';
import { activityAnswer, violationAnswer, whereAnswer, whyAnswer } from '../words/answers.ts';
import { printableText } from '../words/columns.ts';
import { coverageAnswer } from '../words/coverage.ts';
import { eventShown } from '../words/event-data.ts';
import { eventWords } from '../words/events.ts';
import { printable } from '../words/printable.ts';
import { whyWords } from '../words/why.ts';

/**
 * The events that `log` returns: of a subject, from `from` to `to` (both included), or refusals.
 */
export interface LogSelection {
  readonly subject?: string | undefined;
  readonly from?: When | undefined;
  readonly to?: When | undefined;
  readonly refused?: boolean | undefined;
}

/** The states whose coverage is asked about; of all processes and groups without `subject`. */
interface CoverageSelection {
  readonly subject?: string | undefined;
  readonly from?: When | undefined;
  readonly to?: When | undefined;
}

interface AtMoment {
  readonly at?: When;
}

/** Give one of the two. */
interface BisectQuestion {
  readonly invariant?: string | undefined;
  readonly where?: string | undefined;
}

const refusals = new Set<EventType>(['operation.refused']);

/** A history that has been read. Answers are plain data. */
export abstract class Past<E extends Placed = RecordedEvent> extends PicturedPast<E> {
  static {
    askThrough(Past, ({ timeline }: Past) => timeline);
  }

  /** The host at a moment, for more questions. Throws `bad-when`. */
  at(when: When = 'end'): MomentOfPast {
    const { position, logEnds } = this.find(when);
    return this.#moment({ timeline: this.timeline, position, logEnds });
  }

  /** A cursor before the first event, which walks through the events and the host between them. */
  steps(): Steps<E> {
    const timeline = this.timeline.cursor();
    return new Steps({
      timeline,
      names: this,
      find: (when) => this.find(when).position,
      momentAt: (position) => this.#moment({ timeline, position, logEnds: null }),
    });
  }

  #moment(place: ConstructorParameters<typeof MomentOfPast>[0]): MomentOfPast {
    return new MomentOfPast(place, this, (position) => this.forkAt(position));
  }

  /**
   * The selected events, ascending; a pid that no line names is null, as in every answer. Throws
   * `bad-when`, `unknown-subject`, or `bad-request` if `from` is after `to`.
   */
  log(selection: LogSelection = {}): E[] {
    const { subject, refused = false } = optionsGiven('log', selection);
    const { from, to } = this.findRange(selection.from ?? 'start', selection.to ?? 'end');
    const of = subject === undefined ? null : keyOf(this.#subject(subject, to.position));
    const types = refused ? refusals : null;
    return [...this.timeline.select(from.position, to.position, of, types)].map(eventShown);
  }

  /** As `at(…).who`. Throws `bad-when` or `unknown-subject`. */
  who(subject: string, options: AtMoment = {}): Who {
    const { at = 'end' } = optionsGiven('who', options);
    return this.at(at).who(subject);
  }

  /** Intervals of a subject's ownership, without gaps from the start. Throws `unknown-subject`. */
  history(subject: string): Interval[] {
    const found = this.#subject(subject);
    const intervals = historyOf(this.timeline, found);
    if (found.kind !== 'group') return intervals;
    const incarnations = incarnationsOf(this.timeline, found.id);
    return incarnations.length < 2 ? intervals : numbered(intervals, incarnations);
  }

  /** Which devices `26` or `/dev/vfio/26` meant, from when to when. Throws `unknown-subject`. */
  incarnations(subject: string): Incarnation[] {
    const found = this.#subject(subject);
    return found.kind === 'group' ? incarnationsOf(this.timeline, found.id) : [];
  }

  /** Guests to which a manager has given a device, or one of a group; they need not be owners. */
  claimants(subject: string, options: AtMoment = {}): Claimant[] {
    const { at = 'end' } = optionsGiven('claimants', options);
    const { position } = this.find(at);
    return claimantsOf(this.timeline, this.#subject(subject, position), position);
  }

  /**
   * The intervals of a subject, or of every group, in which `who` kept the owner alive, or may have
   * (an unknown owner). `who` is `pid:N`, the name of a process, or a part of the path of a control
   * group. Throws `unknown-subject`.
   */
  everOwned(who: string, options: { readonly subject?: string | undefined } = {}): Tenure[] {
    const { subject } = optionsGiven('everOwned', options);
    const of = subject === undefined ? null : this.#subject(subject);
    return everOwned(this.timeline, who, of);
  }

  /** Driver unbinds that waited for a device, for one of a group, or for any, to be released. */
  waits(subject?: string): Wait[] {
    return waitsFor(this.timeline, this.#place(subject));
  }

  /**
   * Where the evidence claims several owners of a group (or of a device's group, or of any) at the
   * same time. The rules allow only one, so this judges the evidence. Throws `unknown-subject`.
   */
  overlaps(subject?: string): Overlap[] {
    return overlapsOf(this.timeline, this.#place(subject));
  }

  /**
   * Explains the refusal at a position (digits), or the last one that concerns a subject, up to `at`.
   * Throws `not-a-refusal`, `bad-when` or `unknown-subject`.
   */
  why(attempt: number | string, options: AtMoment = {}): Why {
    const { at = 'end' } = optionsGiven('why', options);
    const asked = textGiven(attempt);
    if (typeof attempt === 'number' || /^\d+$/.test(asked)) return this.#whyAt(asked);
    const { position: until, logEnds } = this.find(at);
    const position = latestRefusal(this.timeline, this.#subject(asked, until), until);
    if (position === null) {
      const to = until < 0 ? 'the start' : `position ${until}`;
      throw new LedgerError('not-a-refusal', `no refusal of ${asked} in this log up to ${to}`);
    }
    const found = whyAnswer(explainRefusal(this.timeline, position));
    return logEnds === null ? found : { ...found, logEnds };
  }

  /** The error says how to name the group if digits are no refusal, and a group has that number. */
  #whyAt(digits: string): Why {
    try {
      return whyAnswer(explainRefusal(this.timeline, this.find(digits).position));
    } catch (error) {
      const isNone = error instanceof LedgerError && codesOfNone.has(error.code);
      if (!isNone) throw error;
      const named = groupWords(this.timeline, Number(digits));
      if (named === null) throw error;
      throw new LedgerError(error.code, `${error.message}; digits are a position, ${named}`);
    }
  }

  /**
   * An answer of `why` in the words of the command line, in lines without colour. Throws
   * `bad-request` for anything but an answer about this history.
   */
  explain(found: Why): string {
    if (this.#typeOf(found) !== 'operation.refused' || !Array.isArray(found.because)) {
      throw new RequestError('explain takes an answer of why about this history');
    }
    return printableText(whyWords(found, this));
  }

  /**
   * An event in the words of the command line, without a full stop: `P1[101] closed fd 4`. Throws
   * `bad-request` for anything but an event of this history.
   */
  describe(event: E): string {
    const type = this.#typeOf(event);
    if (type === null || type !== event.type) {
      throw new RequestError('describe takes an event of this history');
    }
    return printable(eventWords(event, this));
  }

  /** Type of the event at a position that JavaScript may give as anything; null if there is none. */
  #typeOf(given: { readonly position: number } | null | undefined): EventType | null {
    const position = given?.position;
    return Number.isInteger(position) ? (this.event(position ?? -1)?.type ?? null) : null;
  }

  /** Changes of owners after `from`, up to `to`. Throws `bad-when`; `bad-request` if `from` is later. */
  diff(from: When, to: When): Diff {
    const range = this.findRange(from, to);
    const found = changesBetween(this.timeline, range.from.position, range.to.position);
    const { logEnds } = range.to;
    return logEnds === null ? found : { ...found, logEnds };
  }

  /**
   * What processes did with VFIO files after `from`, up to `to`, and which files they did not
   * release; only the processes with the pids `by`, if given. Throws `bad-when`, and `bad-request`
   * if `from` is after `to`, if the host is unknown at `to`, or if `by` is not an array of pids.
   */
  between(
    from: When,
    to: When,
    options: { readonly by?: readonly number[] | undefined } = {},
  ): Activity {
    const { by } = optionsGiven('between', options);
    const range = this.findRange(from, to);
    const until = range.to.position;
    if (!this.timeline.isKnownAt(until)) {
      throw new RequestError(
        `between: the host is unknown at position ${until}: this log begins at position ` +
          `${this.first}, and the host has not booted since`,
      );
    }
    const pids = by === undefined ? null : pidsGiven('between', by);
    const found = activityBetween(this.timeline, range.from.position, until, pids);
    const { logEnds } = range.to;
    const answer = { ...activityAnswer(found), ...(logEnds !== null && { logEnds }) };
    return withOrigin(answer, { past: this, position: until });
  }

  /** The attempts that would end differently by the rules of a profile. Throws `bad-request`. */
  replay(by: { readonly profile: string }): readonly Difference[] {
    return this.replayed(by).differences;
  }

  /** As `replay`, with the number of attempts. */
  replayed(by: { readonly profile: string }): Replay {
    const { profile } = objectGiven('replay', 'an object with a profile', by);
    return replayBy(profileNamed(profile), this.each(), { isKnown: this.first === 0 });
  }

  /**
   * The first event that violates an invariant, or after which an expression over the table holds
   * (`group 26 owner.kind = iommufd and holders.comm ~ qemu`), and the fewest events that still
   * show it; null if there is none. Throws `bad-request`, also for a wrong expression, and
   * `unknown-subject`.
   */
  bisect(question: BisectQuestion = {}): Bisection<E> | null {
    const { invariant, where } = objectGiven('bisect', 'an invariant or an expression', question);
    if ((where === undefined) === (invariant === undefined)) {
      throw new RequestError('bisect: give either an invariant or an expression');
    }
    const found =
      invariant === undefined
        ? whereAnswer(bisectWhere(this.timeline, textGiven(where)))
        : violationAnswer(bisectBy(this.timeline, invariantNamed(invariant)));
    return found && { ...found, event: eventShown(found.event), coverage: this.coverage() };
  }

  /**
   * From when to when every process of the host was seen, for a subject or the whole host, in the
   * states after `from` up to and with the state after `to`. Throws `bad-when`, `unknown-subject`,
   * and `bad-request` if `to` is before `from`.
   */
  coverage(selection: CoverageSelection = {}): Coverage {
    const { subject, from = 'start', to = 'end' } = optionsGiven('coverage', selection);
    const range = this.findRange(from, to);
    const of = subject === undefined ? null : this.#subject(subject, range.to.position);
    const { logEnds } = range.to;
    const found = coverageOf(this.timeline, { subject: of, ...statesOf(range) });
    const answer = coverageAnswer(found, (position) => this.timeline.at(position));
    return logEnds === null ? answer : { ...answer, logEnds };
  }

  /**
   * A what-if: this history without some events. Each later call is attempted anew by the rules, with
   * what the calls before it return now. Throws `bad-request` for a boot, or if the host or the owner
   * that a call asks for is unknown; `bad-when`; `unsupported` for what cannot be attempted anew.
   */
  without(positions: readonly number[]): WhatIf {
    return withoutEvents(this.timeline, positions, (position) => this.forkAt(position));
  }

  /** A what-if that forks after a position. */
  protected abstract forkAt(position: number): WhatIf;

  #subject(word: string, position = this.timeline.head): Subject {
    return resolveSubject(this.timeline, word, position);
  }

  /** A device or group, null if none is named. Throws `bad-request` for another subject. */
  #place(word: string | undefined): Subject | null {
    const subject = word === undefined ? null : this.#subject(word);
    if (subject === null || subject.kind === 'device' || subject.kind === 'group') return subject;
    throw new RequestError(`'${word}' is a ${subject.kind}: expected a device or a group`);
  }
}

/** The codes of errors about a position that is not a refusal. */
const codesOfNone: ReadonlySet<ErrorCode> = new Set(['bad-when', 'not-a-refusal']);
