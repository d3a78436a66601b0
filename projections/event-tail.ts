/**
 * The events of a timeline: keeps the newest in memory, and reads older ones again.
 *
 * @module
 */

/** Events of a list that `each` reads together. */
const LIST_MAX = 256;

/** Reads events of a log again. */
export interface EventReader<E> {
  at(position: number): E;
  /** The events at these positions, which ascend. */
  many(positions: readonly number[]): readonly E[];
  /** The events from one position to another, both included. */
  between(first: number, last: number): Iterable<E>;
}

export class EventTail<E> {
  readonly #first: number;
  /** Null keeps all events in memory. */
  readonly #reader: EventReader<E> | null;
  #from: number;
  #held: E[] = [];

  constructor(first: number, reader: EventReader<E> | null) {
    this.#first = first;
    this.#from = first;
    this.#reader = reader;
  }

  /** All events, read again if they are not in memory. */
  get all(): readonly E[] {
    if (this.#from === this.#first) return this.#held;
    return [...this.between(this.#first, this.#end - 1)];
  }

  push(event: E): void {
    this.#held.push(event);
  }

  /** Sets the position of the next event in memory; older ones are read again. */
  skipTo(position: number): void {
    this.#from = position;
  }

  /** Drops the events before a position from memory, if they can be read again. */
  forgetBefore(position: number): void {
    if (this.#reader === null || position <= this.#from) return;
    this.#held = this.#held.slice(position - this.#from);
    this.#from = position;
  }

  /** Throws `RangeError` for a position before the first or after the last event. */
  at(position: number): E {
    this.#check(position);
    const held = this.#held[position - this.#from];
    return held ?? this.#read().at(position);
  }

  /** The events at these positions, which ascend. Throws `RangeError` as `at` does. */
  many(positions: readonly number[]): readonly E[] {
    for (const position of positions) this.#check(position);
    const older = positions.filter((position) => position < this.#from);
    const read = older.length === 0 ? [] : this.#read().many(older);
    return [...read, ...positions.slice(read.length).map((at) => this.at(at))];
  }

  /**
   * The events at those of the positions that are wanted. They ascend, and are read in lists that
   * grow: the first event is read as soon as its position is known.
   */
  *each(positions: Iterable<number>, isWanted: (position: number) => boolean): Generator<E> {
    let list: number[] = [];
    let size = 1;
    for (const position of positions) {
      if (!isWanted(position) || list.push(position) < size) continue;
      yield* this.many(list);
      list = [];
      size = Math.min(2 * size, LIST_MAX);
    }
    yield* this.many(list);
  }

  /** The events from one position to another, both included, as far as they exist. */
  *between(first: number, last: number): Generator<E> {
    const from = Math.max(first, this.#first);
    const to = Math.min(last, this.#end - 1);
    if (from < this.#from) yield* this.#read().between(from, Math.min(to, this.#from - 1));
    for (let at = Math.max(from, this.#from); at <= to; at++) yield this.at(at);
  }

  #check(position: number): void {
    if (position >= this.#first && position < this.#end) return;
    throw new RangeError(`there is no event at position ${position}`);
  }

  get #end(): number {
    return this.#from + this.#held.length;
  }

  #read(): EventReader<E> {
    if (this.#reader === null) {
      throw new RangeError(`events before position ${this.#from} are not in memory`);
    }
    return this.#reader;
  }
}
