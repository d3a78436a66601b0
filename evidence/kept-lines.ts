/**
 * `KeptLines`: what lines show that have to wait for the end of their source, up to a limit.
 *
 * @module
 */
import { TooMuchError } from './importer.ts';
import type { Sighting } from './sighting.ts';

/** What a line shows, with the digest that ids of its events follow from, and its number. */
export interface ShownLine {
  readonly sightings: readonly Sighting[];
  readonly digest: string;
  readonly line: number;
}

const MOST = 1 << 16;

export class KeptLines {
  readonly #which: string;
  #lines: ShownLine[] = [];

  /** `which`: the lines, in the words of the error. */
  constructor(which: string) {
    this.#which = which;
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** Throws `TooMuchError` if there are too many. */
  add(shown: ShownLine): void {
    if (this.#lines.push(shown) <= MOST) return;
    throw new TooMuchError(`there are more than ${MOST} lines ${this.#which}`);
  }

  /** All of them, once. */
  take(): readonly ShownLine[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }
}
