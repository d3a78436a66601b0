/**
 * Lanes: how each group and each device looked over a range of positions, merged down to what a picture
 * of so many columns can show.
 *
 * @module
 */
import type { Timeline } from '../timeline.ts';
import { looksBetween, type LookFrom } from './lane-changes.ts';
import { columnsBetween, eachPosition, evenColumns, type ColumnOf } from './lane-columns.ts';
import type { LaneLook } from './lane-look.ts';
import { laneSubjects, type LaneSubject } from './lane-subjects.ts';

/** A group or a device over time. */
export interface Lane extends LaneSubject {
  /** Ascending, without gaps. */
  readonly stretches: readonly LaneStretch[];
}

/**
 * Half-open, in positions. With a `count` above 1 it is busy: so many intervals, each shorter than a
 * column, are merged, and `state` and `owner` are those of the longest of them.
 */
export interface LaneStretch extends LaneLook {
  readonly from: number;
  /** The position of the event that ended it; the one after the range if it goes on. */
  readonly to: number;
  /** The number of intervals; 1 is exact. */
  readonly count: number;
}

/** Positions of a picture: half-open. */
export interface PictureRange {
  readonly from: number;
  readonly end: number;
}

/**
 * The lanes of a range, with at most so many stretches each (at least 3): a lane with more intervals is
 * merged in columns of the same width. Groups by their number, each with its devices after it; devices
 * whose group is not known come last.
 */
export function lanesBetween(
  timeline: Timeline,
  { from, end }: PictureRange,
  atMost: number,
): Lane[] {
  const merged = evenColumns(from, end, Math.floor((atMost - 1) / 2));
  return drawn(timeline, { from, end }, (looks) => (looks.length > atMost ? merged : eachPosition));
}

/** The lanes from the first edge up to the last, merged in the columns between ascending edges. */
export function lanesOver(timeline: Timeline, edges: readonly number[]): Lane[] {
  const [from = 0, end = from] = [edges[0], edges.at(-1)];
  const columns = columnsBetween(edges);
  return drawn(timeline, { from, end }, () => columns);
}

function drawn(
  timeline: Timeline,
  { from, end }: PictureRange,
  columnsFor: (looks: readonly LookFrom[]) => ColumnOf,
): Lane[] {
  if (from >= end) return [];
  return laneSubjects(timeline, end - 1).map((lane) => {
    const looks = looksBetween(timeline, lane, from, end);
    return { ...lane, stretches: merged(looks, end, columnsFor(looks)) };
  });
}

/** Merges the intervals of a lane that begin and end inside of one column. */
function merged(looks: readonly LookFrom[], end: number, columnOf: ColumnOf): LaneStretch[] {
  const stretches: LaneStretch[] = [];
  /** The column in which the last stretch begins and ends; and the length of its longest interval. */
  let [column, longest]: [number | null, number] = [null, 0];
  for (const [index, { position: from, look }] of looks.entries()) {
    const to = looks[index + 1]?.position ?? end;
    // What begins before the range, or goes on after it, is not known to be short.
    const isWhole = index > 0 && index + 1 < looks.length;
    const within = isWhole && columnOf(from) === columnOf(to) ? columnOf(from) : null;
    const last = stretches.at(-1);
    if (within === null || within !== column || last === undefined) {
      stretches.push({ from, to, ...look, count: 1 });
      [column, longest] = [within, to - from];
      continue;
    }
    const isLongest = to - from > longest;
    longest = Math.max(longest, to - from);
    stretches[stretches.length - 1] = {
      ...last,
      ...(isLongest && look),
      to,
      count: last.count + 1,
    };
  }
  return stretches;
}
