/**
 * Follows a part of a host through the log: some of its files, groups and other subjects. It goes from one
 * change of them to the next by the posting lists of the index, without playing the events between.
 *
 * @module
 */
import type { HostPart } from './index/segment.ts';
import type { StandingView } from './index/view.ts';
import type { Position } from './shapes.ts';
import type { Timeline } from './timeline.ts';

/**
 * Calls `look` with the host after the event at `from`, and after each later event before `to` (null:
 * up to the end of the log) that changed the part of the host which `look` returned last. Positions
 * at which the host is unknown are passed over.
 */
export function follow(
  timeline: Timeline,
  from: number,
  to: Position,
  look: (host: StandingView, position: number) => HostPart,
): void {
  const end = Math.min(to ?? Infinity, timeline.head + 1);
  let position = Math.max(from, timeline.first);
  if (position < end && !timeline.isKnownAt(position)) {
    position = timeline.bootAfter(position) ?? end;
  }
  while (position < end) {
    const part = look(timeline.viewAt(position), position);
    position = changeIn(timeline, position + 1, end, part);
  }
}

/** The first position from `from` on, and before `end`, at which a part changed; else `end`. */
function changeIn(timeline: Timeline, from: number, end: number, part: HostPart): number {
  for (const segment of timeline.segments(from)) {
    if (segment.first >= end) break;
    const change = segment.changeFrom(from, part);
    if (change !== null) return Math.min(change, end);
  }
  return end;
}
