/**
 * The events of a history, and the moments and hosts at its positions.
 *
 * @module
 */
import { textGiven } from '../events/given.ts';
import { LedgerError } from '../events/ledger-error.ts';
import type { EventType, Placed } from '../events/vocabulary.ts';
import type { RecordedEvent } from '../log/store.ts';
import type { HostAt } from '../machines/host-at.ts';
import { operations } from '../events/operations.ts';
import type { KeptLog } from './kept-log.ts';
import { askThrough } from '../projections/asked.ts';
import { coverageOf } from '../projections/coverage.ts';
import { commAt } from '../projections/process-name.ts';
import type { LogEnd, Position } from '../projections/shapes.ts';
import { keyOf, type Subject } from '../projections/subjects.ts';
import type { Timeline } from '../projections/timeline.ts';
import {
  findMoment,
  findRange,
  firstTimed,
  lastTimed,
  START,
  type FoundMoment,
  type When,
} from '../projections/when.ts';

/** What `now` and times before now refer to. */
export type PresentTime = () => Date;

export abstract class PastEvents<E extends Placed = RecordedEvent> {
  /** @internal */
  protected readonly timeline: Timeline<E>;
  /** @internal */
  protected readonly clock: PresentTime;

  static {
    askThrough(PastEvents, ({ timeline }: PastEvents) => timeline);
  }

  /** @internal */
  constructor(timeline: Timeline<E>, clock: PresentTime = () => new Date()) {
    this.timeline = timeline;
    this.clock = clock;
  }

  /** Position of the first event: 0, unless older volumes were removed. */
  get first(): number {
    return this.timeline.first;
  }

  /** All events, ascending from `first`; those of a long log do not fit in memory. */
  get events(): readonly E[] {
    return this.timeline.events;
  }

  /** Number of events. */
  get length(): number {
    return this.timeline.head + 1 - this.first;
  }

  /** Whether any event has a time. */
  get isTimed(): boolean {
    return this.timeline.isTimed;
  }

  /** The time of the first event that has one, or null. */
  get firstTime(): string | null {
    return this.isTimed ? firstTimed(this.timeline) : null;
  }

  /** The time of the last event that has one, or null. */
  get lastTime(): string | null {
    return lastTimed(this.timeline)?.time ?? null;
  }

  /**
   * The position of the last event whose time is at or before an instant, or null. The instant is
   * written as in the log: ISO 8601, UTC, with microseconds. Throws `bad-when`.
   */
  lastUntil(instant: string): number | null {
    const text = textGiven(instant);
    if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(text)) return this.timeline.lastUntil(text);
    throw new LedgerError('bad-when', `'${text}' is not an instant as the log has it`);
  }

  /** All events, or those of a type, ascending; each is read when it is asked for. */
  each(type: EventType | null = null): Iterable<E> {
    const types = type === null ? null : new Set([type]);
    return this.timeline.select(this.first, this.timeline.head, null, types);
  }

  /**
   * The last events up to a position, at most `count`, ascending; of a subject, if one is given.
   *
   * @internal
   */
  lastEvents(position: number, count: number, subject: Subject | null = null): E[] {
    const found: number[] = [];
    const places =
      subject === null
        ? downFrom(position, this.first)
        : this.timeline.positionsBack(keyOf(subject), position);
    for (const place of places) if (found.push(place) === count) break;
    return found.toReversed().map((place) => this.timeline.at(place));
  }

  /**
   * The first position after `position` at which the owner of a group changes; null if it never does.
   *
   * @internal
   */
  ownerChange(group: string, position: number): Position {
    const [change] = this.timeline.handedOver(position, this.timeline.head, group);
    return change?.position ?? null;
  }

  /**
   * Whether everything is known of who holds what after a position: all processes were seen there, or
   * all of the host was read there.
   *
   * @internal
   */
  knowsHolders(position: number): boolean {
    const event = this.event(position);
    if (event?.type === 'snapshot.taken' && event.data.complete) return true;
    const at = { subject: null, from: position, to: position };
    return coverageOf(this.timeline, at).unknown.length === 0;
  }

  /**
   * The log in which this history can be opened again; one in memory is written to a file first. Null
   * if there is none. Throws `unavailable` if it cannot be written.
   *
   * @internal
   */
  keep(): KeptLog | null {
    return null;
  }

  /** The names of all operations. @internal */
  get operations(): readonly string[] {
    return Object.keys(operations);
  }

  /** The event at a position; undefined if there is none. */
  event(position: number): E | undefined {
    if (!Number.isInteger(position)) return undefined;
    const isHere = position >= this.first && position <= this.timeline.head;
    return isHere ? this.timeline.at(position) : undefined;
  }

  /**
   * The host after the event at a position; -1 is before the first event. Any later question makes
   * it throw `StaleViewError`: then ask for a new one. Throws `bad-when`.
   */
  hostAt(position: number): HostAt {
    this.checkPosition(position);
    return this.timeline.hostAt(position);
  }

  /** Name of a process (`comm`) at a position; null if no event names it. Throws `bad-when`. */
  commOf(pid: number, position: number): string | null {
    this.checkPosition(position);
    return commAt(this.timeline, pid, position);
  }

  /**
   * Where the log ends, if one of the moments is an instant after that: nothing is known from there
   * on. Else null. Throws `bad-when`.
   */
  logEnds(...moments: readonly When[]): LogEnd | null {
    for (const when of moments) {
      const { logEnds } = this.find(when);
      if (logEnds !== null) return logEnds;
    }
    return null;
  }

  /** Throws `bad-when` for what is no moment of this history. */
  protected find(when: When): FoundMoment {
    return findMoment(when, this.timeline, this.clock);
  }

  /** As `find`, for both ends. Throws `bad-request` if `from` is after `to`. */
  protected findRange(from: When, to: When): ReturnType<typeof findRange> {
    return findRange(from, to, this.timeline, this.clock);
  }

  /** Throws `bad-when` unless it is a whole number from -1 to the last position. */
  protected checkPosition(position: number): void {
    const { head } = this.timeline;
    if (Number.isInteger(position) && position >= START && position <= head) return;
    const end = head === START ? 'the log is empty' : `the log ends at position ${head}`;
    throw new LedgerError('bad-when', `there is no position ${textGiven(position)}: ${end}`);
  }
}

function* downFrom(position: number, first: number): Generator<number> {
  for (let place = position; place >= first; place--) yield place;
}
