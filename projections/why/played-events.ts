/**
 * The events that trials play, in their order: held in memory, or read from the log each time.
 *
 * @module
 */
import type { Fact, Placed } from '../../events/vocabulary.ts';
import type { Timeline } from '../timeline.ts';

/** Events ascending by position; of two at one position, the second follows from the first. */
export interface PlayedEvents {
  readonly length: number;
  /** The index of the first event at a position; undefined if there is none. */
  indexOf(position: number): number | undefined;
  /** The events from an index up to but without another. */
  range(from: number, to: number): Iterable<Placed<Fact>>;
  /** The events at some positions. */
  among(positions: ReadonlySet<number>): Iterable<Placed<Fact>>;
}

/** Events that are held in memory. */
export class HeldEvents implements PlayedEvents {
  readonly #events: readonly Placed<Fact>[];
  readonly #indexes = new Map<number, number>();

  constructor(events: readonly Placed<Fact>[]) {
    this.#events = events;
    for (const [index, { position }] of events.entries()) {
      if (!this.#indexes.has(position)) this.#indexes.set(position, index);
    }
  }

  get length(): number {
    return this.#events.length;
  }

  indexOf(position: number): number | undefined {
    return this.#indexes.get(position);
  }

  range(from: number, to: number): readonly Placed<Fact>[] {
    return this.#events.slice(from, to);
  }

  among(positions: ReadonlySet<number>): readonly Placed<Fact>[] {
    return this.#events.filter(({ position }) => positions.has(position));
  }
}

/** A boot of more events is not held in memory: it may have as many as the log. */
const HELD_MAX = 200_000;
/** Positions of which the events are read together. */
const TOGETHER = 1024;

/** All events of a boot up to a position, which are read from the log each time. */
export class ReadEvents implements PlayedEvents {
  readonly length: number;
  readonly #timeline: Timeline;
  readonly #first: number;

  constructor(timeline: Timeline, last: number) {
    this.#timeline = timeline;
    this.#first = Math.max(timeline.bootBefore(last), timeline.first);
    this.length = last - this.#first + 1;
  }

  indexOf(position: number): number | undefined {
    const index = position - this.#first;
    return index >= 0 && index < this.length ? index : undefined;
  }

  range(from: number, to: number): Iterable<Placed<Fact>> {
    const last = Math.min(to, this.length) - 1;
    return this.#timeline.between(this.#first + from, this.#first + last);
  }

  *among(positions: ReadonlySet<number>): Generator<Placed<Fact>> {
    const sorted = [...positions].toSorted((a, b) => a - b);
    const own = sorted.filter((position) => this.indexOf(position) !== undefined);
    for (let start = 0; start < own.length; start += TOGETHER) {
      yield* this.#timeline.many(own.slice(start, start + TOGETHER));
    }
  }
}

/** All events of a boot up to a position. */
export function eventsOfBoot(timeline: Timeline, last: number): PlayedEvents {
  const read = new ReadEvents(timeline, last);
  return read.length > HELD_MAX ? read : new HeldEvents([...read.range(0, read.length)]);
}
