/**
 * The names of a process in a scenario, and the numbers that they stand for.
 *
 * @module
 */
import { parseNumber } from './language.ts';

const PAGE = 4096;
/** Where mappings begin, downwards: a place that no descriptor's number could be taken for. */
const TOP = 0x7fff_f000_0000;

/** A process's names and its address space, as far as mappings go. */
export class Names {
  readonly #values: Map<string, number>;
  readonly #pages: Set<number>;

  constructor(values: Iterable<[string, number]> = [], pages: Iterable<number> = []) {
    this.#values = new Map(values);
    this.#pages = new Set(pages);
  }

  /** The number behind a name; -1 for a name that never was or was closed. */
  value(name: string): number {
    return name.startsWith(':') ? parseNumber(name.slice(1)) : (this.#values.get(name) ?? -1);
  }

  /** The number as the kernel takes it for a descriptor. */
  descriptor(name: string): number {
    return this.value(name) | 0;
  }

  set(name: string, value: number): void {
    if (!name.startsWith(':')) this.#values.set(name, value);
  }

  /** A child's names. */
  forked(): Names {
    return new Names(this.#values, this.#pages);
  }

  /** Names survive an exec; what was mapped does not. */
  executed(): void {
    this.#pages.clear();
  }

  /** Takes the highest free address for a mapping, as the kernel searches from the top. */
  map(size: number): number {
    const count = Math.max(1, Math.ceil(size / PAGE));
    let first = 0;
    for (let page = 0; page < first + count; page++) {
      if (this.#pages.has(page)) first = page + 1;
    }
    for (let page = first; page < first + count; page++) this.#pages.add(page);
    return TOP - (first + count) * PAGE;
  }

  unmap(address: number): void {
    this.#pages.delete((TOP - address) / PAGE - 1);
  }
}
