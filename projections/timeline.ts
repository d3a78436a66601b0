/**
 * The timeline of a host: its events, and what questions about the past stand on.
 *
 * How things stood at a moment, and who owned what since when, comes from the time index; a host whose
 * machines are to go on is played from the start of a segment. Where the events before the first are
 * not here, nothing is known of the host until it boots.
 *
 * @module
 */
import type { EventType, Placed } from '../events/vocabulary.ts';
import type { HostAt } from '../machines/host-at.ts';
import { LiveHost } from '../machines/live-host.ts';
import { EventTail, type EventReader } from './event-tail.ts';
import type { Shelf } from './index/sealed-segments.ts';
import type { Segment } from './index/segment.ts';
import { GROUP } from './index/standing.ts';
import { TimeIndex } from './index/time-index.ts';
import { splitTime } from './index/times.ts';
import type { HoldAt } from './index/hold-at.ts';
import type { StandingView } from './index/view.ts';
import { Walker } from './index/walker.ts';
import type { Position } from './shapes.ts';
import type { SubjectKey } from './subjects.ts';

export interface TimelineOptions<E> {
  /** The position of the first event; those before it are not here. */
  readonly first?: number;
  /** All events are kept in memory where there is none. */
  readonly reader?: EventReader<E> | null;
  /** Where what is derived of the events is kept. */
  readonly shelf?: Shelf | null;
  /** Events of a segment of the time index; for tests. */
  readonly whole?: number;
}

export class Timeline<E extends Placed = Placed> {
  readonly first: number;
  readonly #index: TimeIndex;
  readonly #events: EventTail<E>;
  /** From here on the events are a fork's own, and nobody else has them: they have not happened. */
  readonly ownFrom: number;
  readonly #walker: Walker;

  constructor(
    { first = 0, reader = null, shelf = null, whole }: TimelineOptions<E> = {},
    index?: TimeIndex,
    ownFrom = Infinity,
  ) {
    this.ownFrom = ownFrom;
    this.first = first;
    this.#events = new EventTail(first, reader);
    const events = (from: number, to: number) => this.between(from, to);
    // What is made anew while the index goes on from the shelf is read, however long it goes on.
    if (reader !== null) this.#events.skipTo(Infinity);
    this.#index =
      index ?? new TimeIndex({ first, events, shelf, ...(whole !== undefined && { whole }) });
    this.#walker = new Walker(this.#index);
    this.#events.skipTo(this.#index.openFrom);
  }

  get head(): number {
    return this.#index.head;
  }

  /** The host after the last event. */
  get host(): LiveHost {
    return this.#index.host;
  }

  /** All of the events; those of a long history do not fit in memory. */
  get events(): readonly E[] {
    return this.#events.all;
  }

  /** Takes the next event. */
  take(event: E): void {
    if (event.position !== this.head + 1) {
      throw new RangeError(`expected position ${this.head + 1}, not ${event.position}`);
    }
    this.#index.take(event);
    this.#events.push(event);
    this.#events.forgetBefore(Math.min(this.#index.openFrom, this.ownFrom));
  }

  /** Whoever gives the events says when there are no more for now. */
  settle(): void {
    this.#index.settle();
    this.#events.forgetBefore(Math.min(this.#index.openFrom, this.ownFrom));
  }

  /** A timeline of its own that goes on from a position otherwise. */
  fork(position: number): Timeline<E> {
    const index = this.#index.fork(position, (from, to) => fork.between(from, to));
    const fork: Timeline<E> = new Timeline(
      { first: this.first, reader: this },
      index,
      Math.min(this.ownFrom, position + 1),
    );
    for (const event of this.between(index.openFrom, position)) fork.#events.push(event);
    return fork;
  }

  at(position: number): E {
    return this.#events.at(position);
  }

  /** The events from one position to another, both included. */
  between(first: number, last: number): Iterable<E> {
    return this.#events.between(first, last);
  }

  /**
   * How the host stood after the event at a position; before the first one at -1. Once it was asked
   * for another position it throws `StaleViewError`.
   */
  hostAt(position: number): HostAt {
    if (!this.isKnownAt(position)) return this.#unknownHost();
    return this.viewAt(position);
  }

  /** Whether what was so at a position follows from events that are here. */
  isKnownAt(position: number): boolean {
    if (position < this.first) return position < 0;
    return this.first === 0 || this.#index.segmentAt(position).bootBefore(position) >= 0;
  }

  /** As `hostAt`, where the host is known. */
  viewAt(position: number): StandingView {
    return this.#walker.viewAt(position);
  }

  /** What the rules say of a refusal, and the host that it met; null where nothing was known of that. */
  refusalAt(position: number): ReturnType<Walker['refusalAt']> {
    return this.#walker.refusalAt(position);
  }

  /** How a place came to hold a file: the hold of that number. */
  holdNumbered(number: number): HoldAt {
    return this.#walker.holdNumbered(number);
  }

  /** A host of its own after the event at a position, for whoever means to go on differently. */
  playedAt(position: number): LiveHost {
    const { first, parts } = this.#index.segmentAt(Math.max(position, this.first));
    const host = LiveHost.restored(parts.kernel);
    for (const event of this.between(first, position)) {
      if (host.isKnown || event.type === 'host.booted') host.take(event);
    }
    return host;
  }

  typeAt(position: number): EventType {
    return this.#index.segmentAt(position).typeAt(position);
  }

  timeAt(position: number): string | null {
    return this.#index.segmentAt(position).timeAt(position);
  }

  /** The last event up to a position whose time is at or before an instant; null where there is none. */
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

  /** Where the boot stands that a position belongs to. */
  bootBefore(position: number): number {
    const at = Math.max(position, this.first);
    const boot = this.#index.segmentAt(at).bootBefore(at);
    return boot < 0 ? this.first : boot;
  }

  /** The first boot after a position; null where there is none. */
  bootAfter(position: number): number | null {
    for (const segment of this.#index.segmentsFrom(position + 1)) {
      const boot = segment.bootFrom(position + 1);
      if (boot !== null) return boot;
    }
    return null;
  }

  /** Its runs of judged events, ascending; each can be gone through by itself. */
  get segments(): Iterable<Segment> {
    return this.#index.segmentsFrom(this.first);
  }

  /** Positions of the events that concern a subject, ascending. */
  *positionsOf(key: SubjectKey, from = this.first, to = this.head): Generator<number> {
    for (const { first, events } of this.#eventsOf(this.#index.segmentsFrom(from), key)) {
      if (first > to) return;
      for (let index = 0; index < events.length; index++) {
        const position = first + (events[index] ?? 0);
        if (position >= from && position <= to) yield position;
      }
    }
  }

  /** Positions of the events that plug devices of a group in or out, or change their drivers. */
  *plugsOf(group: string, from: number, to: number): Generator<number> {
    const code = this.#index.codes.groups.find(group);
    if (code === undefined) return;
    for (const { first, parts } of this.#index.segmentsFrom(from)) {
      if (first > to) return;
      for (const event of parts.postings.of('plug', code)) {
        if (first + event >= from && first + event <= to) yield first + event;
      }
    }
  }

  /** The same, descending. */
  *positionsBack(key: SubjectKey, from = this.head): Generator<number> {
    for (const { first, events } of this.#eventsOf(this.#index.segmentsUntil(from), key)) {
      for (let index = events.length - 1; index >= 0; index--) {
        const position = first + (events[index] ?? 0);
        if (position <= from) yield position;
      }
    }
  }

  /** Whether any event concerns a subject; those near a position are looked through first. */
  knows(key: SubjectKey, near = this.head): boolean {
    const before = this.positionsBack(key, near).next();
    return before.done !== true || this.positionsOf(key, near).next().done !== true;
  }

  /** The events from one position to another, both included; those of a subject where one is named. */
  *select(
    first: number,
    last: number,
    subject: SubjectKey | null,
    type: EventType | null = null,
  ): Generator<E> {
    if (subject === null && type === null) return yield* this.between(first, last);
    const from = Math.max(first, this.first);
    const isWanted = (at: number) => type === null || this.typeAt(at) === type;
    if (subject !== null) {
      for (const at of this.positionsOf(subject, from, last)) if (isWanted(at)) yield this.at(at);
    } else for (let at = from; at <= last; at++) if (isWanted(at)) yield this.at(at);
  }

  /** Where groups, or one, changed hands between two moments: after the first, up to the second. */
  *handedOver(
    from: number,
    to: number,
    only: string | null = null,
  ): Generator<{ position: number; group: string }> {
    const { groups } = this.#index.codes;
    const code = only === null ? null : (groups.find(only) ?? -1);
    for (const segment of this.#index.segmentsFrom(from + 1)) {
      if (segment.first > to) return;
      for (const { position, group } of segment.handedOver(code)) {
        if (position > from && position <= to) yield { position, group: groups.at(group) };
      }
    }
  }

  /** Where what files and groups are to each other has changed, and some other places, ascending. */
  *shifts(from: number, others: readonly number[] = []): Generator<number> {
    for (const segment of this.#index.segmentsFrom(from)) {
      yield* segment.shifts(from, others);
    }
  }

  /** The groups that a device was ever seen in. */
  groupsOfDevice(device: string): readonly string[] {
    return this.#index.known.groupsOf(device);
  }

  /** PCI addresses by the names that devices went by last. */
  get deviceNames(): ReadonlyMap<string, string> {
    return this.#index.known.names;
  }

  /** PCI addresses by the nodes that devices had last. */
  get deviceNodes(): ReadonlyMap<string, string> {
    return this.#index.known.nodes;
  }

  groups(): readonly string[] {
    return this.#index.codes.groups.values;
  }

  /** Since when the owner of a group at a position has been the owner. */
  since(group: string, position: number): Position {
    if (!this.isKnownAt(position)) return null;
    const { groups } = this.#walker.standingAt(position);
    const code = this.#index.codes.groups.find(group) ?? Infinity;
    const since = code < groups.count ? groups.cells[code * groups.width + GROUP.since]! : 0;
    return since === 0 ? null : since - 1;
  }

  *#eventsOf(segments: Iterable<Segment>, key: SubjectKey) {
    for (const segment of segments) yield { first: segment.first, events: segment.eventsOf(key) };
  }

  /** What the log will come to know of is there already; nothing else about it is known. */
  #unknownHost(): LiveHost {
    const host = new LiveHost({ isKnown: false });
    const position = this.first;
    const names = new Map([...this.deviceNames].map(([name, device]) => [device, name]));
    const { known } = this.#index;
    for (const device of known.devices()) {
      const [group = null] = known.groupsOf(device);
      const data = { device, name: names.get(device) ?? null, group, driver: null, model: null };
      host.take({ type: 'device.added', data: { ...data, cdev: null }, position });
    }
    host.take({ type: 'gap.noticed', data: { reason: 'absent', group: null }, position });
    return host;
  }
}
