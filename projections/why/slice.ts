/**
 * A slice: the events of a boot that concern an attempt. Played alone, they should give the same
 * verdict as the whole boot. A slice is used only if it gives the recorded cause of the attempt.
 *
 * The state of a group that is not in use follows from the drivers of its devices. So a slice has
 * the driver events of each group, and all events since the group was last not in use. An unbind
 * that waited for files which the slice leaves out is replaced by what came of it.
 *
 * @module
 */
import type { DataOf, EventType, Fact, Placed } from '../../events/vocabulary.ts';
import { plugTypes } from '../index/postings.ts';
import { keyOf, type SubjectKey } from '../subjects.ts';
import { endsOfLeftovers } from './leftovers.ts';
import type { Concern } from './relevant-events.ts';
import type { Timeline } from '../timeline.ts';
import { unbindWithout } from './waiting-unbinds.ts';

/** A boot of fewer events is played whole: finding out which events matter would cost more. */
const SHORT = 256;

/** Whether the boot is so short at a position that it is played whole. */
export function isShort(timeline: Timeline, position: number): boolean {
  return position - timeline.bootBefore(position) < SHORT;
}

const ofPlugs = new Set<EventType>(plugTypes);

export class Slice {
  /** Ascending. */
  readonly events: readonly Placed<Fact>[];

  private constructor(events: readonly Placed<Fact>[]) {
    this.events = events;
  }

  /** The events that concern an attempt, up to position `last`. */
  static concerned(timeline: Timeline, concern: Concern, last: number): Slice {
    const { positions, groups, files, replacesWaits } = concern;
    const boot = timeline.bootBefore(last);
    const plugs = plugsOf(timeline, groups, boot + 1, last);
    const places = [...new Set([boot, ...plugs, ...positions])].toSorted((a, b) => a - b);
    const own: readonly Placed<Fact>[] = timeline.many(places);
    const events = new Map(own.map((event) => [event.position, event]));
    for (const end of endsOfLeftovers(timeline, own, last)) {
      if (!positions.has(end.position)) events.set(end.position, end);
    }
    const played: Placed<Fact>[] = [];
    const bound: Placed<Fact>[] = [];
    for (const event of events.values()) {
      const unbind = replacesWaits ? unbindWithout(timeline, event, files, last) : null;
      played.push(unbind?.unbound ?? event);
      if (unbind?.bound) bound.push(unbind.bound);
    }
    // What ends an unbind comes before the bind that follows from it.
    played.push(...bound);
    return new Slice(played.toSorted((a, b) => a.position - b.position));
  }
}

/**
 * What was plugged into groups and unplugged, with the drivers. A device that was unplugged is in no
 * group, but had it not been, its later events would be of the group.
 */
function plugsOf(
  timeline: Timeline,
  groups: ReadonlySet<string>,
  since: number,
  last: number,
): number[] {
  const plugs = [...groups].flatMap((group) => [...timeline.plugsOf(group, since, last)]);
  const removed = plugs.filter((position) => timeline.typeAt(position) === 'device.removed');
  const later = new Map<SubjectKey, number>();
  for (const { data, position } of timeline.many(removed.toSorted((a, b) => a - b))) {
    const key = keyOf({ kind: 'device', id: (data as DataOf<'device.removed'>).device });
    if (!later.has(key)) later.set(key, position);
  }
  const ofThem = [...later].flatMap(([key, from]) => [...timeline.positionsOf(key, from, last)]);
  return [...plugs, ...ofThem.filter((position) => ofPlugs.has(timeline.typeAt(position)))];
}
