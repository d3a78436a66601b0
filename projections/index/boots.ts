/**
 * The boots of a log, found in the types of events.
 *
 * @module
 */
import type { TimeIndex } from './time-index.ts';

export class Boots {
  readonly #index: TimeIndex;
  #first: number | null = null;

  constructor(index: TimeIndex) {
    this.#index = index;
  }

  /** Position of the first boot after a position; null if there is none. */
  after(position: number): number | null {
    for (const segment of this.#index.segmentsFrom(position + 1)) {
      const boot = segment.bootFrom(position + 1);
      if (boot !== null) return boot;
    }
    return null;
  }

  /** Whether the host of a log whose older events were removed has booted up to a position. */
  areBy(position: number): boolean {
    if (!this.#index.host.isKnown) return false;
    this.#first ??= this.after(this.#index.first - 1);
    return position >= (this.#first ?? Infinity);
  }
}
