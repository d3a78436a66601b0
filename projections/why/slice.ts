/**
 * The part of a boot that has anything to do with an attempt: the same verdicts, from fewer events.
 *
 * While a group is not in use, what becomes of it follows from the drivers of its devices alone. So a
 * slice has these, and beyond them what has happened since the group was last not in use.
 *
 * @module
 */
import type { EventType, Fact, Placed } from '../../events/vocabulary.ts';
import { LiveHost } from '../../machines/live-host.ts';
import { effectOf } from '../../processes/effects.ts';
import type { Concern } from './concern.ts';
import { takeIfPossible } from './possible.ts';
import type { Timeline } from '../timeline.ts';

export class Slice {
  /** Ascending. */
  readonly events: readonly Placed<Fact>[];

  constructor(events: readonly Placed<Fact>[]) {
    this.events = events;
  }

  /** Everything from the boot before a position up to it. */
  static whole(timeline: Timeline, last: number): Slice {
    return new Slice([...timeline.between(timeline.bootBefore(last), last)]);
  }

  /** What has to do with an attempt, up to a position. */
  static concerned(timeline: Timeline, { positions, groups }: Concern, last: number): Slice {
    const boot = timeline.bootBefore(last);
    const plugs = [...groups].flatMap((group) => [...timeline.plugsOf(group, boot + 1, last)]);
    const own = [...new Set([boot, ...plugs, ...positions])].map((position): Placed<Fact> =>
      timeline.at(position),
    );
    const after = own.flatMap((event) => taken(timeline, event, last) ?? []);
    const others = after.filter(({ position }) => !positions.has(position));
    return new Slice([...own, ...others].toSorted((a, b) => a.position - b.position));
  }

  /** The host after all of it, without some events and without what these alone made possible. */
  without(out: ReadonlySet<number>): LiveHost {
    const host = new LiveHost();
    for (const event of this.events) {
      if (!out.has(event.position)) takeIfPossible(host, event);
    }
    return host;
  }
}

/**
 * What takes the place of what an event has given up: the next file at a number that was closed, or
 * the next process of a number. Had it not been given up, it would be gone then all the same.
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

/** The descriptor of a process that an event takes, or the process itself. */
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
