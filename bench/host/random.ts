/**
 * Chance that can be had again: the same seed gives the same draws on every machine.
 *
 * Its 128 bits of state are enough that ids made of them do not meet in ten million events
 * (sfc32, of the PractRand suite).
 *
 * @module
 */

const RANGE = 2 ** 32;
/** Draws until the words of the seed are well mixed. */
const MIXING = 15;
const ID_BYTES = 12;

export class Random {
  #a: number;
  #b = 0x9e3779b9;
  #c = 0x243f6a88;
  #counter = 1;
  readonly #id = Buffer.alloc(ID_BYTES);

  constructor(seed: number) {
    this.#a = seed | 0;
    for (let draw = 0; draw < MIXING; draw++) this.word();
  }

  /** 32 bits. */
  word(): number {
    const drawn = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + drawn) | 0;
    return drawn >>> 0;
  }

  /** A whole number from 0 up to, not including, `end`. */
  below(end: number): number {
    return Math.floor((this.word() / RANGE) * end);
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.word() < probability * RANGE;
  }

  /** One of several. Throws `RangeError` where there is none. */
  pick<T>(of: readonly T[]): T {
    if (of.length === 0) throw new RangeError('there is nothing to pick from');
    return of[this.below(of.length)] as T;
  }

  /** The same values in another order. */
  shuffled<T>(of: readonly T[]): T[] {
    const left = [...of];
    for (let end = left.length - 1; end > 0; end--) {
      const at = this.below(end + 1);
      [left[end], left[at]] = [left[at] as T, left[end] as T];
    }
    return left;
  }

  /** 24 hexadecimal digits. */
  id(): string {
    for (let at = 0; at < ID_BYTES; at += 4) this.#id.writeUInt32BE(this.word(), at);
    return this.#id.toString('hex');
  }
}
