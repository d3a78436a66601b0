/**
 * Values in memory that can be made again: the least recently used are dropped above a number of
 * bytes.
 *
 * @module
 */

/** A value may grow while it is the one that was used last. */
interface Sized {
  readonly bytes: number;
}

export class RecentlyUsed<K, V extends Sized> {
  readonly #most: number;
  /** The least recently used first, each with the bytes that it was last seen to have. */
  readonly #kept = new Map<K, { readonly value: V; bytes: number }>();
  #last: K | null = null;
  #bytes = 0;

  /** Keeps values of `most` bytes together; the last one also if it is larger. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Bytes of all values, as of when a value was last used. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: K): V | undefined {
    const there = this.#kept.get(key);
    if (there === undefined) return undefined;
    if (key !== this.#last) {
      this.#kept.delete(key);
      this.#kept.set(key, there);
    }
    this.#use(key);
    return there.value;
  }

  set(key: K, value: V): void {
    this.delete(key);
    this.#kept.set(key, { value, bytes: value.bytes });
    this.#bytes += value.bytes;
    this.#use(key);
  }

  delete(key: K): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0;
    this.#kept.delete(key);
  }

  #use(key: K): void {
    const before = this.#last === null ? undefined : this.#kept.get(this.#last);
    this.#last = key;
    if (before !== undefined) {
      const { bytes } = before.value;
      this.#bytes += bytes - before.bytes;
      before.bytes = bytes;
    }
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#most || oldest === key) return;
      this.delete(oldest);
    }
  }
}
