/**
 * What a process was called.
 *
 * @module
 */
import { effectOf } from '../processes/effects.ts';
import type { Timeline } from './timeline.ts';

/** The name that a process had been given when an event happened; null where nobody has said. */
export function commAt(timeline: Timeline, pid: number, position: number): string | null {
  const boot = timeline.bootBefore(position);
  for (const at of timeline.positionsBack(`process ${pid}`, position)) {
    if (at < boot) break;
    const { names } = effectOf(timeline.typeAt(at));
    const named = names?.(timeline.at(at).data) ?? null;
    if (named?.pid === pid) return named.comm;
  }
  return null;
}
