/**
 * What a process was called.
 *
 * @module
 */
import type { EventType } from '../events/vocabulary.ts';
import type { Timeline } from './timeline.ts';

const naming = new Set<EventType>([
  'process.started',
  'process.found',
  'process.forked',
  'process.executed',
]);

/** The name that a process had been given when an event happened; null where nobody has said. */
export function commAt(timeline: Timeline, pid: number, position: number): string | null {
  const boot = timeline.bootBefore(position);
  for (const at of timeline.positionsBack(`process ${pid}`, position)) {
    if (at < boot) break;
    const type = timeline.typeAt(at);
    if (!naming.has(type)) continue;
    const event = timeline.at(at);
    if (event.type === 'process.started' || event.type === 'process.found') return event.data.comm;
    if (event.type === 'process.executed' && event.data.comm !== undefined) return event.data.comm;
    if (event.type === 'process.forked' && event.data.child === pid) return event.data.comm;
  }
  return null;
}
