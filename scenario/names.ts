/**
 * The names of a process in a scenario, the numbers that they stand for, and its mapped addresses.
 *
 * @module
 */
import { parseNumber } from './language.ts';

const PAGE = 4096;
/** The end of the mapped area, which grows downwards. No descriptor has so high a number. */
const TOP = 0x7fff_f000_0000;

/** The names of one process, and the pages of its mappings. */
export class Names {
  readonly #values: Map<string, number>;
  readonly #pages: Set<number>;

  constructor(values: Iterable<[string, number]> = [], pages: Iterable<number> = []) {
    this.#values = new Map(values);
    this.#pages = new Set(pages);
  }

  /** The number behind a name; -1 if the name was never set or was closed. `:N` stands for N. */
  value(name: string): number {
    return name.startsWith(':') ? parseNumber(name.slice(1)) : (this.#values.get(name) ?? -1);
  }

  /** The number behind a name as the kernel takes a descriptor: a signed 32-bit number. */
  descriptor(name: string): number {
    return this.value(name) | 0;
  }

  /** The names that stand for a number. */
  standingFor(value: number): string[] {
    return [...this.#values].filter(([, known]) => known === value).map(([name]) => name);
  }

  set(name: string, value: number): void {
    if (!name.startsWith(':')) this.#values.set(name, value);
  }

  /** A copy, for a forked child. */
  forked(): Names {
    return new Names(this.#values, this.#pages);
  }

  /** Names survive an exec; mappings do not. */
  executed(): void {
    this.#pages.clear();
  }

  /** Reserves the highest free address for a mapping of `size` bytes, and returns it. */
  map(size: number): number {
    const count = Math.max(1, Math.ceil(size / PAGE));
    let first = 0;
    for (let page = 0; page < first + count; page++) {
      if (this.#pages.has(page)) first = page + 1;
    }
    for (let page = first; page < first + count; page++) this.#pages.add(page);
    return TOP - (first + count) * PAGE;
  }

  /** Frees the page at an address. */
  unmap(address: number): void {
    this.#pages.delete((TOP - address) / PAGE - 1);
  }
}
