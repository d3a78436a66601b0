/**
 * The hands of a log, segment by segment, and the times at which they begin and end.
 *
 * @module
 */
import type { SegmentHands } from './segment-hands.ts';
import type { TimeIndex } from './time-index.ts';

export class IndexedHands {
  readonly #index: TimeIndex;

  constructor(index: TimeIndex) {
    this.#index = index;
  }

  /** The hands of each segment from the one with a position on, ascending. */
  from(position = this.#index.first): Iterable<SegmentHands> {
    return this.#index.handsFrom(position);
  }

  /** The code of a group, by which its hands are found; undefined if no event names the group. */
  codeOf(group: string): number | undefined {
    return this.#index.codes.groups.find(group);
  }

  /** The time of the event at a position; quickly if a hand on the group begins or ends there. */
  timeAt(group: string, position: number): string | null {
    const [hands] = this.from(position);
    const time = hands?.timeAt(this.codeOf(group) ?? -1, position);
    return time === undefined ? this.#index.segmentAt(position).timeAt(position) : time;
  }
}
