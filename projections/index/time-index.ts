/**
 * The time index: every moment of a stream, in segments, of which the last is open.
 *
 * @module
 */
import type { Placed } from '../../events/vocabulary.ts';
import type { LiveHost } from '../../machines/live-host.ts';
import { firstStart, SegmentBuilder, startOf } from './builder.ts';
import type { Codes } from './codes.ts';
import type { KnownDevices } from './known.ts';
import { SealedSegments, type EventsBetween, type Shelf } from './sealed-segments.ts';
import type { Segment } from './segment.ts';

/** Events of a whole segment. */
const WHOLE = 65_536;
/** With so many events the open end is sealed before it is whole, for whoever opens the log next. */
const WORTH_SEALING = 8192;

export interface IndexOptions {
  /** The position of the first event that is here. */
  readonly first: number;
  readonly events: EventsBetween;
  /** Where sealed segments are kept; in memory only where there is none. */
  readonly shelf?: Shelf | null;
  /** Events of a whole segment; for tests. */
  readonly whole?: number;
}

export class TimeIndex {
  readonly first: number;
  readonly #events: EventsBetween;
  readonly #whole: number;
  readonly #hasShelf: boolean;
  readonly #sealed: SealedSegments;
  #open: SegmentBuilder;

  constructor(
    { first, events, shelf = null, whole = WHOLE }: IndexOptions,
    shared?: { readonly sealed: SealedSegments; readonly open: SegmentBuilder },
  ) {
    this.first = first;
    this.#events = events;
    this.#whole = whole;
    this.#hasShelf = shelf !== null;
    this.#sealed = shared?.sealed ?? new SealedSegments(first, events, shelf);
    const start = shared === undefined ? this.#sealed.resume(whole) : null;
    this.#open = shared?.open ?? new SegmentBuilder(start ?? firstStart(first));
  }

  /** The position of the last event; one before the first while there is none. */
  get head(): number {
    return this.#open.segment.last;
  }

  /** The position with which the open segment begins. */
  get openFrom(): number {
    return this.#open.segment.first;
  }

  /** Whether any event has a time. */
  get isTimed(): boolean {
    const { times } = this.#open.segment.parts;
    return times.isTimed || this.#sealed.listed.some(({ earliest }) => earliest !== null);
  }

  /** The host after the last event. */
  get host(): LiveHost {
    return this.#open.host;
  }

  /** The codes of groups and devices; those of texts and numbers are the open segment's. */
  get codes(): Codes {
    return this.#open.segment.parts.codes;
  }

  get known(): KnownDevices {
    return this.#open.known;
  }

  take(event: Placed): void {
    if (this.#open.segment.length >= this.#whole) this.#seal();
    this.#open.take(event);
  }

  /** Has the shelf hold the end as well where that is long, so that it need not be judged again. */
  settle(): void {
    if (!this.#hasShelf) return;
    if (this.#open.segment.length >= Math.min(WORTH_SEALING, this.#whole)) this.#seal();
  }

  /** The segment that a position lies in. */
  segmentAt(position: number): Segment {
    if (position >= this.#open.segment.first) return this.#open.segment;
    const index = this.#sealed.indexAt(position);
    return index < 0 ? this.#open.segment : this.#sealed.load(index);
  }

  /** The segment in which the hold of that number came about. */
  segmentOfHold(number: number): Segment {
    const { start } = this.#open.segment.parts;
    if (number >= start.held) return this.#open.segment;
    return this.#sealed.load(this.#sealed.listed.findLastIndex(({ held }) => held <= number));
  }

  /** The segments from the one of a position on, ascending. */
  *segmentsFrom(position: number): Generator<Segment> {
    for (let index = this.#indexFrom(position); index < this.#sealed.length; index++) {
      yield this.#sealed.load(index);
    }
    yield this.#open.segment;
  }

  /**
   * The segments from the one of a position on, descending; without those in which everything is
   * later than a second, where one is named.
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

  /** The number of the sealed segment that a position lies in or before; how many where in none. */
  #indexFrom(position: number): number {
    if (position >= this.#open.segment.first) return this.#sealed.length;
    return Math.max(this.#sealed.indexAt(position), 0);
  }

  /** An index that goes on from a position by itself; `events` are those that it shares and its own. */
  fork(position: number, events: EventsBetween): TimeIndex {
    const { listed } = this.#sealed;
    const shared = listed.filter(({ first, count }) => first + count <= position + 1).length;
    const segment = shared < listed.length ? this.#sealed.load(shared) : this.#open.segment;
    const open = new SegmentBuilder(startOf(segment, this.known));
    for (const event of this.#events(segment.first, position)) open.take(event);
    const options = { first: this.first, events, whole: this.#whole };
    return new TimeIndex(options, { sealed: this.#sealed.before(shared), open });
  }

  #seal(): void {
    const built = this.#open.finish();
    this.#sealed.push(built);
    this.#open = new SegmentBuilder(built.end);
  }
}
