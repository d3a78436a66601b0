/**
 * What a picture of a history shows: lanes of groups and devices, and marks of events beside them.
 *
 * @module
 */
import { optionsGiven } from '../events/given.ts';
import { RequestError } from '../events/ledger-error.ts';
import type { Placed } from '../events/vocabulary.ts';
import type { RecordedEvent } from '../log/store.ts';
import { askThrough } from '../projections/asked.ts';
import { laneInTheWay } from '../projections/lanes/in-the-way.ts';
import { lanesBetween, lanesOver, type Lane } from '../projections/lanes/lanes.ts';
import { marksBetween, marksOver, type Mark } from '../projections/lanes/marks.ts';
import { statesOf, type When } from '../projections/when.ts';
import { judgedRefusal } from '../projections/why/refusals.ts';
import type { Why } from '../projections/why/why.ts';
import { PastEvents } from './past-events.ts';

/**
 * What of a history is drawn: the states after the events from `from` to `to`, both included; all by
 * default. `start` is the state after the first event.
 */
export interface PictureSelection {
  readonly from?: When | undefined;
  readonly to?: When | undefined;
  /** The most stretches of a lane, or columns of marks: 3 or more; 1000 by default. */
  readonly atMost?: number | undefined;
  /**
   * Instead of the others: positions that ascend, and the one after the range. Each column of the picture
   * begins at one, and ends before the next.
   */
  readonly edges?: readonly number[] | undefined;
}

interface BlockedRefusal extends Pick<Why, 'errno' | 'cause' | 'blocker'> {
  readonly lane: string | null;
}

export abstract class PicturedPast<E extends Placed = RecordedEvent> extends PastEvents<E> {
  static {
    askThrough(PicturedPast, ({ timeline }: PicturedPast) => timeline);
  }

  /**
   * How each group and device looked over time, groups by number, each followed by its devices. A lane
   * with more intervals than `atMost` is merged by columns: no interval is left out of the counts. Throws
   * `bad-when`, and `bad-request` for another `atMost` or `edges`, and if `from` is after `to`.
   */
  lanes(selection: PictureSelection = {}): Lane[] {
    const timeline = this.timeline.cursor();
    const asked = this.#asked('lanes', selection);
    return 'edges' in asked
      ? lanesOver(timeline, asked.edges)
      : lanesBetween(timeline, asked, asked.atMost);
  }

  /**
   * Refusals on the lanes of what was refused; driver changes, exits, boots, gaps and devices that came
   * or went on the axis. Marks of one kind and lane in one column are one, with a count. Throws as `lanes`.
   */
  marks(selection: PictureSelection = {}): Mark[] {
    const timeline = this.timeline.cursor();
    const asked = this.#asked('marks', selection);
    return 'edges' in asked
      ? marksOver(timeline, asked.edges)
      : marksBetween(timeline, asked, asked.atMost);
  }

  /**
   * The cause of the refusal of a mark, what blocked it, and the lane of that (null if it is on none),
   * without what `why` has to try out. Throws `not-a-refusal`.
   *
   * @internal
   */
  blocked({ position, lane: refused }: Pick<Mark, 'position' | 'lane'>): BlockedRefusal {
    const { errno, cause, blocker } = judgedRefusal(this.timeline, position).found;
    const host = this.timeline.hostAt(position - 1);
    const lane = blocker === null ? null : laneInTheWay(host, blocker, refused);
    return { errno, cause, blocker, lane };
  }

  #asked(question: string, selection: PictureSelection) {
    const { from = 'start', to = 'end', atMost = 1000, edges } = optionsGiven(question, selection);
    if (edges !== undefined) return { edges: this.#checkedEdges(question, edges) };
    if (!Number.isInteger(atMost) || atMost < 3) {
      throw new RequestError(`${question}: atMost must be a whole number from 3 on`);
    }
    const states = statesOf(this.findRange(from, to));
    const { first, length } = this;
    const end = Math.min(states.to, first + length - 1) + 1;
    return { from: Math.max(states.from, first), end, atMost };
  }

  #checkedEdges(question: string, edges: readonly number[]): readonly number[] {
    const [least, most] = [this.first, this.timeline.head + 1];
    const isGood = (edge: number, index: number) =>
      Number.isInteger(edge) && edge >= (edges[index - 1] ?? least) && edge <= most;
    if (Array.isArray(edges) && edges.every(isGood)) return edges;
    throw new RequestError(
      `${question}: edges must be whole numbers from ${least} to ${most} that ascend`,
    );
  }
}
