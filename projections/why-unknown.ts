/**
 * Why the owner of a group is unknown, and since when.
 *
 * @module
 */
import type { Position } from './shapes.ts';
import type { Timeline } from './timeline.ts';

export interface WhyUnknown {
  readonly group: string;
  /** Where the owner became unknown; null for as long as the log goes back. */
  readonly since: Position;
  /** What the last gap since then says; null where there is none. */
  readonly reason: string | null;
}

/** Of a group whose owner is unknown after a position. */
export function whyUnknown(timeline: Timeline, group: string, position: number): WhyUnknown {
  const since = timeline.since(group, position);
  let reason: string | null = null;
  for (const event of timeline.select(since ?? timeline.first, position, null, 'gap.noticed')) {
    if (event.type !== 'gap.noticed') continue;
    const { data } = event;
    if (data.group === null || data.group === group) reason = data.reason;
  }
  return { group, since, reason };
}
