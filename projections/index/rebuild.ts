/**
 * Builds all segments of an index again while their events are played, and compares each with the
 * index. What differs is replaced, so that no later answer depends on it.
 *
 * All segments are built from one host that has taken every event: what an index restores from a
 * checkpoint is compared with it, too.
 *
 * @module
 */
import type { Placed } from '../../events/vocabulary.ts';
import type { LiveHost } from '../../machines/live-host.ts';
import { firstStart, SegmentBuilder } from './builder.ts';
import type { SealedSegments } from './sealed-segments.ts';
import {
  differenceOf,
  type ReplacedDifference,
  type SegmentDifference,
} from './segment-difference.ts';
import { unshelved } from './shelved-segments.ts';

export class Rebuild {
  /** The host after the last event. */
  readonly host: LiveHost;
  readonly differences: ReplacedDifference[] = [];
  readonly #sealed: SealedSegments;
  #open: SegmentBuilder;
  /** Index of the segment that is being built; the number of sealed ones for the open one. */
  #index = 0;

  constructor(first: number, sealed: SealedSegments) {
    this.#sealed = sealed;
    this.#open = new SegmentBuilder(firstStart(first), sealed.whole);
    this.host = this.#open.host;
  }

  /** The open segment. */
  get open(): SegmentBuilder {
    return this.#open;
  }

  /** Takes the next event. */
  take(event: Placed): void {
    this.#open.take(event);
    if (this.#index === this.#sealed.length) return;
    if (this.#open.segment.length < this.#sealed.listedAt(this.#index).count) return;
    const built = this.#open.finish();
    const difference = this.#sealed.replace(this.#index++, built);
    if (difference !== null) this.differences.push(difference);
    this.#open = new SegmentBuilder(built.end, this.#sealed.whole, this.host);
  }
}

/** As `differenceOf`. An open segment that goes on from a senseless one may be of no use. */
export function differenceOfOpen(
  own: SegmentBuilder,
  built: SegmentBuilder,
): SegmentDifference | null {
  try {
    return differenceOf(unshelved(own.finish()), unshelved(built.finish()));
  } catch {
    const { first, length: count } = built.segment;
    return { segment: { first, count }, position: first, differing: 'other' };
  }
}
