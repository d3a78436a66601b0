/**
 * The timeline of a host: its events and its time index, from which all questions are answered.
 *
 * The index gives the host at any moment, and since when a group has its owner. A host that is to
 * take more events is played from the start of a segment. If older events were removed, the host is
 * unknown until its first boot.
 *
 * @module
 */
import type { EventType, Placed } from '../events/vocabulary.ts';
import type { HostAt } from '../machines/host-at.ts';
import { LiveHost } from '../machines/live-host.ts';
import { EventTail, type EventReader } from './event-tail.ts';
import { Boots } from './index/boots.ts';
import type { GroupOwner, HandOver } from './index/hand-overs.ts';
import { IndexedHands } from './index/indexed-hands.ts';
import type { KnownSources } from './index/known-sources.ts';
import type { Segment } from './index/segment.ts';
import { TimeIndex, type IndexOptions } from './index/time-index.ts';
import { splitTime } from './index/times.ts';
import type { HoldAt } from './index/hold-at.ts';
import type { KnownDevices } from './index/known.ts';
import type { StandingView } from './index/view.ts';
import { Walker } from './index/walker.ts';
import type { MissingFile, Position } from './shapes.ts';
import type { SubjectKey } from './subjects.ts';
import { unknownHost } from './unknown-host.ts';

export interface TimelineOptions<E> extends Partial<Omit<IndexOptions, 'events'>> {
  /** Reads older events again; without one, all events stay in memory. */
  readonly reader?: EventReader<E> | null;
}

export class Timeline<E extends Placed = Placed> {
  readonly first: number;
  readonly #index: TimeIndex;
  readonly #events: EventTail<E>;
  /** Position of a fork's first own event, which did not happen; Infinity if it is not a fork. */
  readonly ownFrom: number;
  /** The file in which the history goes on after `head`, if it is not read; else null. */
  missing: MissingFile | null = null;
  readonly #walker: Walker;
  readonly #boots: Boots;
  readonly hands: IndexedHands;

  constructor(
    { first = 0, reader = null, ...options }: TimelineOptions<E> = {},
    index?: TimeIndex,
    ownFrom = Infinity,
  ) {
    this.ownFrom = ownFrom;
    this.first = first;
    this.#events = new EventTail(first, reader);
    const events = (from: number, to: number) => this.between(from, to);
    // While the index resumes from the shelf, all events that it rebuilds segments from are read.
    if (reader !== null) this.#events.skipTo(Infinity);
    this.#index = index ?? new TimeIndex({ ...options, first, events });
    this.#walker = new Walker(this.#index);
    this.#boots = new Boots(this.#index);
    this.hands = new IndexedHands(this.#index);
    this.#events.skipTo(this.#index.openFrom);
  }

  /** Position of the last event; `first - 1` while there is none. */
  get head(): number {
    return this.#index.head;
  }

  /** The host after the last event. */
  get host(): LiveHost {
    return this.#index.host;
  }

  /** All events; those of a long history do not fit in memory. */
  get events(): readonly E[] {
    return this.#events.all;
  }

  /** Takes the next event. Throws `RangeError` if its position is not `head + 1`. */
  take(event: E): void {
    if (event.position !== this.head + 1) {
      throw new RangeError(`expected position ${this.head + 1}, not ${event.position}`);
    }
    this.#index.take(event);
    this.#events.push(event);
    this.#events.forgetBefore(Math.min(this.#index.openFrom, this.ownFrom));
  }

  /** To be called after the last event for now: caches a long open segment. */
  settle(): void {
    this.#index.settle();
    this.#events.forgetBefore(Math.min(this.#index.openFrom, this.ownFrom));
  }

  /** The index, to be compared with the events. */
  get index(): Pick<TimeIndex, 'ask' | 'mend' | 'rebuild' | 'adopt'> {
    return this.#index;
  }

  /** A timeline that shares the events up to a position, and then takes events of its own. */
  fork(position: number): Timeline<E> {
    const index = this.#index.fork(position, (from, to) => fork.between(from, to));
    const own = Math.min(this.ownFrom, position + 1);
    const fork: Timeline<E> = new Timeline({ first: this.first, reader: this }, index, own);
    for (const event of this.between(index.openFrom, position)) fork.#events.push(event);
    return fork;
  }

  /** A timeline of the same events that walks by itself: it and this one expire no view of the other. */
  cursor(): Timeline<E> {
    const cursor = new Timeline<E>({ first: this.first, reader: this }, this.#index, this.ownFrom);
    cursor.#events.skipTo(Infinity);
    return cursor;
  }

  at(position: number): E {
    return this.#events.at(position);
  }

  /** The events at these positions, which ascend; those of a local log are read in one statement. */
  many(positions: readonly number[]): readonly E[] {
    return this.#events.many(positions);
  }

  /** The events from one position to another, both included. */
  between(first: number, last: number): Iterable<E> {
    return this.#events.between(first, last);
  }

  /**
   * The host after the event at a position, or at -1 before the first one. It throws
   * `StaleViewError` once the timeline was asked about another position.
   */
  hostAt(position: number): HostAt {
    if (!this.isKnownAt(position)) return unknownHost(this.#index.known, this.first);
    return this.viewAt(position);
  }

  /** Whether the host at a position is known: all events are there, or it has booted before. */
  isKnownAt(position: number): boolean {
    if (position < this.first) return position < 0;
    return this.first === 0 || this.#boots.areBy(position);
  }

  /** As `hostAt`, for a position at which the host is known. */
  viewAt(position: number): StandingView {
    return this.#walker.viewAt(position);
  }

  /** Cause and blocker of a refusal, and the host before it; null if that host was unknown. */
  refusalAt(position: number): ReturnType<Walker['refusalAt']> {
    return this.#walker.refusalAt(position);
  }

  /** The hold with this number, as it was when it was made. */
  holdNumbered(number: number): HoldAt {
    return this.#walker.holdNumbered(number);
  }

  /** A new live host after the event at a position, which can take other events. */
  playedAt(position: number): LiveHost {
    const { first, parts } = this.#index.segmentAt(Math.max(position, this.first));
    const host = LiveHost.restored(parts.kernel);
    for (const event of this.between(first, position)) {
      if (host.isKnown || event.type === 'host.booted') host.take(event);
    }
    return host;
  }

  /** The type of the event at a position, from the index. Throws `RangeError`. */
  typeAt(position: number): EventType {
    return this.#index.segmentAt(position).typeAt(position);
  }

  timeAt(position: number): string | null {
    return this.#index.segmentAt(position).timeAt(position);
  }

  /** The last event up to a position that is at or before an instant; null if there is none. */
  lastUntil(instant: string, position = this.head): number | null {
    const time = splitTime(instant);
    for (const segment of this.#index.segmentsUntil(position, time[0])) {
      const end = Math.min(position - segment.first + 1, segment.length);
      const event = segment.parts.times.lastUntil(time, end);
      if (event >= 0) return segment.first + event;
    }
    return null;
  }

  /** Whether any event has a time. */
  get isTimed(): boolean {
    return this.#index.isTimed;
  }

  /** Position of the boot that a position belongs to; `first` if that boot is missing. */
  bootBefore(position: number): number {
    const at = Math.max(position, this.first);
    const boot = this.#index.segmentAt(at).bootBefore(at);
    return boot < 0 ? this.first : boot;
  }

  /** Position of the first boot after a position; null if there is none. */
  bootAfter(position: number): number | null {
    return this.#boots.after(position);
  }

  /** The segments of the index from the one with a position on, ascending. */
  segments(from = this.first): Iterable<Segment> {
    return this.#index.segmentsFrom(from);
  }

  /** Positions of the events that concern a subject, ascending. */
  positionsOf(key: SubjectKey, from = this.first, to = this.head): Generator<number> {
    return this.#listed(from, to, (segment) => segment.eventsOf(key));
  }

  /** Positions of the events that add or remove devices of a group, or change their drivers. */
  plugsOf(group: string, from: number, to: number): Generator<number> {
    const code = this.#index.codes.groups.find(group) ?? -1;
    return this.#listed(from, to, ({ parts }) => parts.postings.of('plug', code));
  }

  /** Positions up to `from` of the events that concern a subject, descending. */
  *positionsBack(key: SubjectKey, from = this.head): Generator<number> {
    for (const segment of this.#index.segmentsUntil(from)) {
      const events = segment.eventsOf(key);
      for (let index = events.length - 1; index >= 0; index--) {
        const position = segment.first + (events[index] ?? 0);
        if (position <= from) yield position;
      }
    }
  }

  /** Whether any event concerns a subject; searches from position `near`, first backwards. */
  knows(key: SubjectKey, near = this.head): boolean {
    const before = this.positionsBack(key, near).next();
    return before.done !== true || this.positionsOf(key, near).next().done !== true;
  }

  /** The events from `first` to `last`, both included; of a subject or of types alone, if given. */
  *select(
    first: number,
    last: number,
    subject: SubjectKey | null,
    types: ReadonlySet<EventType> | null = null,
  ): Generator<E> {
    if (subject !== null) {
      const all = this.positionsOf(subject, first, last);
      return yield* this.#events.each(all, (at) => types?.has(this.typeAt(at)) ?? true);
    }
    if (types === null) return yield* this.between(first, last);
    for (const segment of this.#index.segmentsFrom(first)) {
      if (segment.first > last) return;
      yield* this.#events.each(segment.positionsOfTypes(types, first, last), () => true);
    }
  }

  /** Every change of owner after `from`, up to `to`; with `only`, of that group. */
  *handedOver(from: number, to: number, only: string | null = null): Generator<HandOver> {
    const { groups } = this.#index.codes;
    const code = only === null ? null : (groups.find(only) ?? -1);
    for (const handOvers of this.#index.handOversFrom(from + 1)) {
      if (handOvers.first > to) return;
      for (const handOver of handOvers.of(code)) {
        const { position, group } = handOver;
        if (position > from && position <= to) yield { ...handOver, group: groups.at(group) };
      }
    }
  }

  /** The devices that were added, by name and by node, and the groups that each was ever in. */
  get known(): KnownDevices {
    return this.#index.known;
  }

  /** Every device that any event names. */
  devices(): readonly string[] {
    return this.#index.codes.devices.values;
  }

  /** The sources of the log, and from when to when they showed every process of the host. */
  get sources(): KnownSources {
    return this.#index.sources;
  }

  /** Every group that any event names. */
  groups(): readonly string[] {
    return this.#index.codes.groups.values;
  }

  /** The owner of a group after the event at a position, at which the host must be known. */
  ownerAt(group: string, position: number): GroupOwner {
    const code = this.#index.codes.groups.find(group);
    if (code === undefined) return { owner: null, since: null };
    return this.#index.handOversAt(Math.max(position, this.first)).ownerAt(code, position);
  }

  /** Position since which a group has the owner that it has at `position`; null: from the start. */
  since(group: string, position: number): Position {
    if (!this.isKnownAt(position)) return null;
    if (this.#walker.isAt(position)) return this.viewAt(position).since(group);
    return this.ownerAt(group, position).since;
  }

  /** Positions of the events that a list in each segment names; the lists ascend. */
  *#listed(from: number, to: number, listIn: (segment: Segment) => ArrayLike<number>) {
    for (const segment of this.#index.segmentsFrom(from)) {
      if (segment.first > to) return;
      const events = listIn(segment);
      for (let index = 0; index < events.length; index++) {
        const position = segment.first + (events[index] ?? 0);
        if (position >= from && position <= to) yield position;
      }
    }
  }
}
