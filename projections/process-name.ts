/**
 * What a process was called.
 *
 * @module
 */
import type { Timeline } from './timeline.ts';

/** The name that a process had been given when an event happened; null where nobody has said. */
export function commAt(timeline: Timeline, pid: number, position: number): string | null {
  const boot = timeline.bootBefore(position);
  for (const at of timeline.positionsBack(`process ${pid}`, position)) {
    if (at < boot) break;
    const type = timeline.typeAt(at);
    if (type !== 'process.started' && type !== 'process.forked') continue;
    const event = timeline.at(at);
    if (event.type === 'process.started') return event.data.comm;
    if (event.type === 'process.forked' && event.data.child === pid) return event.data.comm;
  }
  return null;
}
