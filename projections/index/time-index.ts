/**
 * The time index of a stream: sealed segments, and an open one at the end that takes new events.
 *
 * @module
 */
import { LedgerError } from '../../events/ledger-error.ts';
import type { Placed } from '../../events/vocabulary.ts';
import type { LiveHost } from '../../machines/live-host.ts';
import { firstStart, SegmentBuilder, startOf } from './builder.ts';
import type { Codes } from './codes.ts';
import type { HandOvers } from './hand-overs.ts';
import type { KnownDevices } from './known.ts';
import type { KnownSources } from './known-sources.ts';
import type { SegmentHands } from './segment-hands.ts';
import { SealedSegments, type EventsBetween } from './sealed-segments.ts';
import type { Shelf } from './shelf.ts';
import type { Segment } from './segment.ts';
import type { ReplacedDifference } from './segment-difference.ts';
import { differenceOfOpen, Rebuild } from './rebuild.ts';

/** Events of a whole segment. */
const WHOLE = 65_536;
/** `settle` seals the open segment from this many events on, so that the next open judges fewer. */
const WORTH_SEALING = 8192;

export interface IndexOptions {
  /** Position of the first event of the log; above 0 if older events were removed. */
  readonly first: number;
  readonly events: EventsBetween;
  /** Stores the sealed segments; without one they stay in memory. */
  readonly shelf?: Shelf | null;
  /** Events of a whole segment; for tests. */
  readonly whole?: number;
  /** True: events are played at once, and indexed only when the index is asked for something else. */
  readonly isDeferred?: boolean;
}

/** The segments of a fork: those that it shares, and its open one. */
interface Forked {
  readonly sealed: SealedSegments;
  readonly open: SegmentBuilder;
}

/** Mends the index that was forked, and gives what the fork has of it up to `head`. */
type ForkAgain = (head: number) => Forked;

export class TimeIndex {
  readonly first: number;
  readonly #events: EventsBetween;
  readonly #whole: number;
  readonly #hasShelf: boolean;
  /** For a fork: builds what it has again, from the index that it forks. */
  readonly #forkAgain: ForkAgain | null;
  #older: SealedSegments;
  #builder: SegmentBuilder;
  /** A host that takes events before they are indexed; null if each is indexed at once. */
  readonly #ahead: { readonly host: LiveHost; head: number } | null;
  #isAsked = false;

  constructor(
    { first, events, shelf = null, whole = WHOLE, isDeferred = false }: IndexOptions,
    forked?: Forked,
    forkAgain: ForkAgain | null = null,
  ) {
    this.first = first;
    this.#events = events;
    this.#whole = whole;
    this.#hasShelf = shelf !== null;
    this.#forkAgain = forkAgain;
    this.#older = forked?.sealed ?? new SealedSegments({ first, events, shelf, whole });
    const start = forked === undefined ? this.#older.resume(whole) : null;
    this.#builder = forked?.open ?? new SegmentBuilder(start ?? firstStart(first), whole);
    this.#ahead = isDeferred ? { host: this.#builder.host.copy(), head: this.head } : null;
  }

  get #open(): SegmentBuilder {
    this.#catchUp();
    return this.#builder;
  }

  get #sealed(): SealedSegments {
    this.#catchUp();
    return this.#older;
  }

  /** Indexes the events that were only played. */
  #catchUp(): void {
    const [head, last] = [this.head, this.#builder.segment.last];
    if (last < head) for (const event of this.#events(last + 1, head)) this.#index(event);
  }

  /** Position of the last event; `first - 1` while there is none. */
  get head(): number {
    return this.#ahead?.head ?? this.#builder.segment.last;
  }

  /** Position of the first event of the open segment. */
  get openFrom(): number {
    return this.#builder.segment.first;
  }

  /** Whether any event has a time. */
  get isTimed(): boolean {
    const { times } = this.#open.segment.parts;
    return times.isTimed || this.#sealed.listed.some(({ earliest }) => earliest !== null);
  }

  /** The host after the last event. */
  get host(): LiveHost {
    return this.#ahead?.host ?? this.#builder.host;
  }

  /** The codes of groups and devices of the stream; texts and numbers only of the open segment. */
  get codes(): Codes {
    return this.#open.segment.parts.codes;
  }

  get known(): KnownDevices {
    return this.#open.known;
  }

  get sources(): KnownSources {
    return this.#open.sources;
  }

  take(event: Placed): void {
    try {
      this.#take(event);
    } catch (error) {
      if (!this.#isMended(error, event.position - 1)) throw error;
      this.#take(event);
    }
  }

  /** Seals a long open segment onto the shelf, so that its events need not be judged again. */
  settle(): void {
    if (!this.#hasShelf) return;
    this.ask(() => {
      if (this.#open.segment.length >= Math.min(WORTH_SEALING, this.#whole)) this.#seal();
    });
  }

  /**
   * Answers a question from the index. If that fails, a segment on the shelf may make no sense,
   * although its checksum is right: then all are built again, and the question is asked again.
   */
  ask<T>(question: () => T): T {
    if (this.#isAsked) return question();
    const { head } = this;
    this.#isAsked = true;
    try {
      return question();
    } catch (error) {
      if (!this.#isMended(error, head)) throw error;
      return question();
    } finally {
      this.#isAsked = false;
    }
  }

  /** Whether an error came from segments that differed from the events; they no longer do. */
  #isMended(error: unknown, head: number): boolean {
    return this.#isCached && !(error instanceof LedgerError) && this.mend(head);
  }

  /** Whether any segment may come from a shelf. */
  get #isCached(): boolean {
    return this.#hasShelf || this.#forkAgain !== null;
  }

  /**
   * Builds all segments again from the events up to `head`. False if none differed from them; of a
   * fork that is not compared.
   */
  mend(head = this.head): boolean {
    if (this.#forkAgain !== null) {
      const { sealed, open } = this.#forkAgain(head);
      [this.#older, this.#builder] = [sealed, open];
      return true;
    }
    const rebuild = this.rebuild();
    for (const event of this.#events(this.first, head)) rebuild.take(event);
    return this.adopt(rebuild).length > 0;
  }

  /** The segment with the event at a position; the open one if there is no such event. */
  segmentAt(position: number): Segment {
    if (position >= this.#open.segment.first) return this.#open.segment;
    const index = this.#sealed.indexAt(position);
    return index < 0 ? this.#open.segment : this.#sealed.load(index);
  }

  /** The hand-overs of `segmentAt`, which stay in memory when the rest of the segment does not. */
  handOversAt(position: number): HandOvers {
    const index = position < this.#open.segment.first ? this.#sealed.indexAt(position) : -1;
    return index < 0 ? this.#open.segment.parts.handOvers : this.#sealed.handOversOf(index);
  }

  /** The hands of each segment from the one with a position on, ascending. */
  *handsFrom(position: number): Generator<SegmentHands> {
    for (let index = this.#indexFrom(position); index < this.#sealed.length; index++) {
      yield this.#sealed.handsOf(index);
    }
    yield this.#open.segment.hands;
  }

  /** The hand-overs of each segment from the one with a position on, ascending. */
  *handOversFrom(position: number): Generator<HandOvers> {
    for (let index = this.#indexFrom(position); index < this.#sealed.length; index++) {
      yield this.#sealed.handOversOf(index);
    }
    yield this.#open.segment.parts.handOvers;
  }

  /** The segment whose events made the hold with this number. */
  segmentOfHold(number: number): Segment {
    const { start } = this.#open.segment.parts;
    if (number >= start.held) return this.#open.segment;
    return this.#sealed.load(this.#sealed.listed.findLastIndex(({ held }) => held <= number));
  }

  /**
   * The segment in which an open refusal of the segment with a position ends, or that has the next
   * boot; the open one if neither has come. Few segments are read on the way.
   */
  segmentEnding(refusal: number, position: number): Segment {
    const last = this.#sealed.length;
    const segment = (index: number) =>
      index < last ? this.#sealed.load(index) : this.#open.segment;
    const isOpen = (index: number) => segment(index).parts.openRefusals.includes(refusal);
    let low = this.#indexFrom(position);
    let high = low + 1;
    // Most end soon.
    for (let step = 1; high <= last && isOpen(high); step *= 2) {
      low = high;
      high = low === last ? last + 1 : Math.min(low + step, last);
    }
    while (low + 1 < high) {
      const middle = (low + high) >>> 1;
      if (isOpen(middle)) low = middle;
      else high = middle;
    }
    return segment(low);
  }

  /** The segments from the one with a position on, ascending. */
  *segmentsFrom(position: number): Generator<Segment> {
    for (let index = this.#indexFrom(position); index < this.#sealed.length; index++) {
      yield this.#sealed.load(index);
    }
    yield this.#open.segment;
  }

  /**
   * The segments from the one with a position back to the first, descending. `second` (since the
   * year 0) leaves out segments in which no event has a time at or before it.
   */
  *segmentsUntil(position: number, second = Infinity): Generator<Segment> {
    if (this.#open.segment.first <= position) yield this.#open.segment;
    const last = Math.min(this.#indexFrom(position), this.#sealed.length - 1);
    for (let index = position < this.first ? -1 : last; index >= 0; index--) {
      const { earliest } = this.#sealed.listedAt(index);
      const isLater = second !== Infinity && (earliest === null || earliest > second);
      if (!isLater) yield this.#sealed.load(index);
    }
  }

  /** The index of the sealed segment with a position; their number if it is in the open one. */
  #indexFrom(position: number): number {
    if (position >= this.#open.segment.first) return this.#sealed.length;
    return Math.max(this.#sealed.indexAt(position), 0);
  }

  /** A fork after a position; `events` reads the events that it shares and its own. */
  fork(position: number, events: EventsBetween): TimeIndex {
    const isDeferred = this.#ahead !== null;
    const options = { first: this.first, events, whole: this.#whole, isDeferred };
    const again: ForkAgain = (head) => {
      this.mend();
      return this.#forked(position, head, events);
    };
    const forked = this.#forked(position, position, this.#events);
    return new TimeIndex(options, forked, this.#isCached ? again : null);
  }

  /** What a fork after a position has, once it has taken the events up to `head`. */
  #forked(position: number, head: number, events: EventsBetween): Forked {
    const { listed } = this.#sealed;
    const shared = listed.filter(({ first, count }) => first + count <= position + 1).length;
    const segment = shared < listed.length ? this.#sealed.load(shared) : this.#open.segment;
    const open = new SegmentBuilder(startOf(segment, this.known), this.#whole);
    for (const event of events(segment.first, head)) open.take(event);
    return { sealed: this.#sealed.before(shared), open };
  }

  /** Starts to build all segments again; it is to take all events, and then to be adopted. */
  rebuild(): Rebuild {
    return new Rebuild(this.first, this.#sealed);
  }

  /**
   * Puts the open segment of a rebuild in the place of the own one if they differ. Returns where all
   * segments differed. Segments on the shelf that are not in use were not compared: they are removed.
   */
  adopt({ open, differences }: Rebuild): readonly ReplacedDifference[] {
    this.#sealed.removeUnused(open.segment.last);
    const difference = differenceOfOpen(this.#open, open);
    if (difference === null) return differences;
    this.#builder = open;
    return [...differences, { ...difference, isReplaced: true }];
  }

  #take(event: Placed): void {
    if (this.#ahead === null) return this.#index(event);
    const { host } = this.#ahead;
    if (host.isKnown || event.type === 'host.booted') host.take(event);
    this.#ahead.head = event.position;
  }

  #index(event: Placed): void {
    if (this.#builder.segment.length >= this.#whole) this.#seal();
    this.#builder.take(event);
  }

  #seal(): void {
    const built = this.#builder.finish();
    this.#older.push(built);
    this.#builder = new SegmentBuilder(built.end, this.#whole);
  }
}
