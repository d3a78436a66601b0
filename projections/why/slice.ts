/**
 * A slice: the events of a boot that concern an attempt. Played alone, they give the same verdict
 * as the whole boot.
 *
 * The state of a group that is not in use follows from the drivers of its devices. So a slice has
 * the driver events of each group, and all events since the group was last not in use.
 *
 * @module
 */
import type { EventType, Fact, Placed } from '../../events/vocabulary.ts';
import { LiveHost } from '../../machines/live-host.ts';
import { effectOf } from '../../processes/effects.ts';
import type { Concern } from './relevant-events.ts';
import { takeIfPossible } from './possible.ts';
import type { Timeline } from '../timeline.ts';

export class Slice {
  /** Ascending. */
  readonly events: readonly Placed<Fact>[];

  constructor(events: readonly Placed<Fact>[]) {
    this.events = events;
  }

  /** All events of a boot up to position `last`. */
  static whole(timeline: Timeline, last: number): Slice {
    return new Slice([...timeline.between(timeline.bootBefore(last), last)]);
  }

  /** The events that concern an attempt, up to position `last`. */
  static concerned(timeline: Timeline, { positions, groups }: Concern, last: number): Slice {
    const boot = timeline.bootBefore(last);
    const plugs = [...groups].flatMap((group) => [...timeline.plugsOf(group, boot + 1, last)]);
    const places = [...new Set([boot, ...plugs, ...positions])].toSorted((a, b) => a - b);
    const own: readonly Placed<Fact>[] = timeline.many(places);
    const after = own.flatMap((event) => taken(timeline, event, last) ?? []);
    const others = after.filter(({ position }) => !positions.has(position));
    return new Slice([...own, ...others].toSorted((a, b) => a.position - b.position));
  }

  /**
   * The host after the slice without the events `out`, and without those that only they made
   * possible.
   */
  without(out: ReadonlySet<number>): LiveHost {
    const host = new LiveHost();
    for (const event of this.events) {
      if (!out.has(event.position)) takeIfPossible(host, event);
    }
    return host;
  }
}

/**
 * The event that reuses a closed descriptor or the pid of a process that exited. Without the close
 * or the exit, the file or the process would end at that event.
 */
function taken(timeline: Timeline, event: Placed<Fact>, last: number): Placed<Fact> | null {
  if (event.type !== 'descriptor.closed' && event.type !== 'process.exited') return null;
  const { pid } = event.data;
  const fd = event.type === 'descriptor.closed' ? event.data.fd : null;
  for (const position of timeline.positionsOf(`process ${pid}`, event.position + 1, last)) {
    if (!takesPlace(timeline.typeAt(position))) continue;
    const next: Placed<Fact> = timeline.at(position);
    const place = placeIn(next, pid);
    if (place === 'process') return next;
    if (place === null || place !== fd) continue;
    const data = { pid, fd, path: next.type, cloexec: false };
    return { type: 'path.opened', data, position };
  }
  return null;
}

/**
 * The descriptor of process `pid` that an event opens; `process` if the event starts the process.
 */
function placeIn({ type, data }: Placed<Fact>, pid: number): number | 'process' | null {
  const { fills, replaces } = effectOf(type);
  if (replaces?.(data) === pid) return 'process';
  const filled = fills?.(data);
  return filled?.pid === pid ? filled.fd : null;
}

function takesPlace(type: EventType): boolean {
  const { fills, replaces } = effectOf(type);
  return fills !== null || replaces !== null;
}
