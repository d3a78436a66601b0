/**
 * A map in which a key has several values.
 *
 * @module
 */

/** The values of a key keep the order in which they were added. Nothing is kept under null. */
export class Multimap<K, V> {
  readonly #values = new Map<K, Set<V>>();

  has(key: K): boolean {
    return this.#values.has(key);
  }

  /** The values of a key, in an array of the caller's own. */
  of(key: K): V[] {
    return [...(this.#values.get(key) ?? [])];
  }

  add(key: K | null, value: V): void {
    if (key === null) return;
    const values = this.#values.get(key);
    if (values === undefined) this.#values.set(key, new Set([value]));
    else values.add(value);
  }

  delete(key: K | null, value: V): void {
    if (key === null) return;
    const values = this.#values.get(key);
    if (values?.delete(value) === true && values.size === 0) this.#values.delete(key);
  }

  /** Gives a key these values in the place of those that it has. */
  replace(key: K, values: readonly V[]): void {
    if (values.length === 0) this.#values.delete(key);
    else this.#values.set(key, new Set(values));
  }

  clear(): void {
    this.#values.clear();
  }
}
