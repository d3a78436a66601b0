/**
 * Exits: when and how a process ended, and which VFIO files it had held last.
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import { effectOf } from '../processes/effects.ts';
import { follow } from './follow.ts';
import { partiesOf, partOf } from './parties.ts';
import type { Exit, Holder, Position } from './shapes.ts';
import type { Timeline } from './timeline.ts';

/**
 * The exit of the last process with a pid up to a position; null if it is there at that position, or
 * no event shows its end.
 */
export function exitOf(timeline: Timeline, pid: string, position: number): Exit | null {
  if (position < timeline.first || !timeline.isKnownAt(position)) return null;
  if (timeline.viewAt(position).process(Number(pid)) !== undefined) return null;
  const ended = endOf(timeline, pid, position);
  if (ended === null) return null;
  const { held, until } = lastHeld(timeline, pid, ended.position);
  return {
    ...ended,
    time: timeline.timeAt(ended.position),
    held,
    heldUntil: until,
    heldUntilTime: until === null ? null : timeline.timeAt(until),
  };
}

function endOf(
  timeline: Timeline,
  pid: string,
  position: number,
): Pick<Exit, 'position' | 'by' | 'signal'> | null {
  const [last = null] = timeline.positionsBack(`process ${pid}`, position);
  if (last === null) return null;
  const boot = timeline.bootBefore(position) > last ? timeline.bootAfter(last) : null;
  if (boot !== null && timeline.hostAt(boot - 1).process(Number(pid)) !== undefined) {
    return { position: boot, by: 'host.booted', signal: null };
  }
  // After its exit a pid can be in the events of another process, of which nothing else is known.
  const { type, data } = timeline.at(last);
  const isExit = type === 'process.exited' && String(data.pid) === pid;
  return isExit ? { position: last, by: type, signal: data.signal } : null;
}

/** What a process held last before its end, and the position of the event by which it lost it. */
function lastHeld(
  timeline: Timeline,
  pid: string,
  end: number,
): { readonly held: readonly Holder[]; readonly until: Position } {
  const subject = { kind: 'process', id: pid } as const;
  let held: readonly Holder[] = [];
  let until: Position = null;
  let later = end;
  for (const at of timeline.positionsBack(`process ${pid}`, end - 1)) {
    if (timeline.bootBefore(end - 1) > at) break;
    if (timeline.typeAt(at) !== 'operation.refused') {
      follow(timeline, at, later + 1, (host, position) => {
        const { holders } = partiesOf(host, subject);
        if (holders.length > 0) [held, until] = [holders, null];
        else until ??= position;
        return partOf(host, subject);
      });
      if (held.length > 0) return { held, until };
      until = null;
      later = at;
    }
    if (begins(timeline.at(at), pid)) break;
  }
  return { held, until: null };
}

/** Whether an event starts a process with a pid, or ends the one that had it before. */
function begins({ type, data }: Placed, pid: string): boolean {
  return String(effectOf(type).replaces?.(data)) === pid;
}
