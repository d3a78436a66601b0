/**
 * Explains why the owner of a group is unknown, and since when.
 *
 * @module
 */
import type { EventType } from '../events/vocabulary.ts';
import type { Position, TimeBeside } from './shapes.ts';
import { timed } from './timed.ts';
import type { Timeline } from './timeline.ts';

/** Why the owner of a group is unknown. */
export interface WhyUnknown {
  /** The number of the group. */
  readonly group: string;
  /** Position of the event that made it unknown; null if it was unknown before the first event. */
  readonly since: Position;
  readonly sinceTime: TimeBeside;
  /** The reason in the last `gap.noticed` since then; null if there is none. */
  readonly reason: string | null;
}

const gaps = new Set<EventType>(['gap.noticed']);

/** The owner of `group` must be unknown after `position`. */
export function whyUnknown(timeline: Timeline, group: string, position: number): WhyUnknown {
  const since = timeline.since(group, position);
  let reason: string | null = null;
  for (const event of timeline.select(since ?? timeline.first, position, null, gaps)) {
    if (event.type !== 'gap.noticed') continue;
    const { data } = event;
    if (data.group === null || data.group === group) reason = data.reason;
  }
  return timed(timeline, { group, since, reason });
}
