/**
 * Follows parts of a host through the log: some of its files, groups and other subjects. It goes from one
 * change of them to the next by the posting lists of the index, without playing the events between.
 *
 * @module
 */
import type { HostPart, Segment } from './index/segment.ts';
import type { StandingView } from './index/view.ts';
import type { Position } from './shapes.ts';
import type { Timeline } from './timeline.ts';

/** A part of a host that is followed from a position on, before another (null: to the end). */
export interface Followed {
  readonly from: number;
  readonly to: Position;
  /**
   * Looks at the host after the event at a position, and returns the part whose next change is to be
   * looked at; null if no other is.
   */
  readonly look: (host: StandingView, position: number) => HostPart | null;
}

/** What is followed, and the part that it returned last; null before its first look. */
interface Following {
  readonly followed: Followed;
  readonly end: number;
  part: HostPart | null;
}

/** A position to look at. */
interface Due {
  readonly position: number;
  readonly following: Following;
}

/**
 * Calls `look` with the host after the event at `from`, and after each later event before `to` (null:
 * up to the end of the log) that changed the part of the host which `look` returned last; null ends
 * it. Positions at which the host is unknown are passed over.
 */
export function follow(
  timeline: Timeline,
  from: number,
  to: Position,
  look: Followed['look'],
): void {
  followEach(timeline, [{ from, to, look }]);
}

/** Follows several parts, as `follow`, in one pass over the log. */
export function followEach(timeline: Timeline, all: Iterable<Followed>): void {
  const starts = [...all].flatMap((followed) => startOf(timeline, followed));
  starts.sort((a, b) => b.position - a.position);
  let far: Following[] = [];
  const [first] = starts.slice(-1);
  if (first === undefined) return;
  for (const segment of timeline.segments(first.position)) {
    if (starts.length === 0 && far.length === 0) return;
    far = followIn(timeline, segment, starts, far);
  }
}

function startOf(timeline: Timeline, followed: Followed): Due[] {
  const end = Math.min(followed.to ?? Infinity, timeline.head + 1);
  let position = Math.max(followed.from, timeline.first);
  if (position < end && !timeline.isKnownAt(position)) {
    position = timeline.bootAfter(position) ?? end;
  }
  return position < end ? [{ position, following: { followed, end, part: null } }] : [];
}

/**
 * Follows through one segment, by position. `starts` descend; those in the segment are taken. Returns
 * what has no change in the segment any more.
 */
function followIn(
  timeline: Timeline,
  segment: Segment,
  starts: Due[],
  before: readonly Following[],
): Following[] {
  const after = segment.last + 1;
  const far: Following[] = [];
  const due = new Queue();
  const seek = (following: Following, from: number): void => {
    const { part, end } = following;
    if (part === null) return;
    const position = from < after ? segment.changeFrom(from, part) : null;
    if (position === null) {
      if (end > after) far.push(following);
    } else if (position < end) due.add({ position, following });
  };
  while ((starts.at(-1)?.position ?? Infinity) < after) due.add(starts.pop()!);
  for (const following of before) seek(following, segment.first);
  for (let next = due.take(); next !== undefined; next = due.take()) {
    const { position, following } = next;
    following.part = following.followed.look(timeline.viewAt(position), position);
    seek(following, position + 1);
  }
  return far;
}

/** Positions to look at; the lowest is taken first. */
class Queue {
  /** Descending. */
  readonly #due: Due[] = [];

  add(due: Due): void {
    let [low, high] = [0, this.#due.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#due[middle]!.position > due.position) low = middle + 1;
      else high = middle;
    }
    this.#due.splice(low, 0, due);
  }

  take(): Due | undefined {
    return this.#due.pop();
  }
}
