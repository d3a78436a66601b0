/**
 * The events of a timeline: the last of them in memory, those before where they can be read again.
 *
 * @module
 */

/** Where events are read again. */
export interface EventReader<E> {
  at(position: number): E;
  /** From one position to another, both included. */
  between(first: number, last: number): Iterable<E>;
}

export class EventTail<E> {
  readonly #first: number;
  /** Everything is kept in memory where there is none. */
  readonly #reader: EventReader<E> | null;
  #from: number;
  #held: E[] = [];

  constructor(first: number, reader: EventReader<E> | null) {
    this.#first = first;
    this.#from = first;
    this.#reader = reader;
  }

  get all(): readonly E[] {
    if (this.#from === this.#first) return this.#held;
    return [...this.between(this.#first, this.#end - 1)];
  }

  push(event: E): void {
    this.#held.push(event);
  }

  /** Begins at a position; what is before it is to be read. */
  skipTo(position: number): void {
    this.#from = position;
  }

  /** Lets go of what can be read again and lies before a position. */
  forgetBefore(position: number): void {
    if (this.#reader === null || position <= this.#from) return;
    this.#held = this.#held.slice(position - this.#from);
    this.#from = position;
  }

  at(position: number): E {
    if (position < this.#first || position >= this.#end) {
      throw new RangeError(`there is no event at position ${position}`);
    }
    const held = this.#held[position - this.#from];
    return held ?? this.#read().at(position);
  }

  /** From one position to another, both included, as far as they are here. */
  *between(first: number, last: number): Generator<E> {
    const from = Math.max(first, this.#first);
    const to = Math.min(last, this.#end - 1);
    if (from < this.#from) yield* this.#read().between(from, Math.min(to, this.#from - 1));
    for (let at = Math.max(from, this.#from); at <= to; at++) yield this.at(at);
  }

  get #end(): number {
    return this.#from + this.#held.length;
  }

  #read(): EventReader<E> {
    if (this.#reader === null) throw new RangeError('there are no events to read');
    return this.#reader;
  }
}
