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
 * up to the end of the log) that changed the part of the host which `look` returned last; null ends
 * it. Positions at which the host is unknown are passed over.
 */
export function follow(
  timeline: Timeline,
  from: number,
  to: Position,
  look: (host: StandingView, position: number) => HostPart | null,
): void {
  const end = Math.min(to ?? Infinity, timeline.head + 1);
  let position = Math.max(from, timeline.first);
  if (position < end && !timeline.isKnownAt(position)) {
    position = timeline.bootAfter(position) ?? end;
  }
  if (position >= end) return;
  let part: HostPart | null = null;
  for (const segment of timeline.segments(position)) {
    const after = segment.last + 1;
    if (part !== null) position = segment.changeFrom(segment.first, part) ?? after;
    while (position < Math.min(after, end)) {
      part = look(timeline.viewAt(position), position);
      if (part === null) return;
      position = position + 1 < after ? (segment.changeFrom(position + 1, part) ?? after) : after;
    }
    if (after >= end) return;
  }
}
