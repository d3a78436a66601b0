/**
 * Incarnations: which devices `/dev/vfio/N` stood for, and from when to when. The node appears and
 * disappears with the VFIO devices of the group; after a boot or a renumbering, the same number may
 * mean other devices.
 *
 * @module
 */
import { VfioMembers } from './index/vfio-members.ts';
import type { Incarnation, Interval } from './interval-shapes.ts';
import type { Position } from './shapes.ts';
import { timed, type Untimed } from './timed.ts';
import type { Timeline } from './timeline.ts';

/** The incarnations of a group, in order; half-open. */
export function incarnationsOf(timeline: Timeline, group: string): Incarnation[] {
  const found: Untimed<Incarnation>[] = [];
  const members = new VfioMembers(group);
  let current = null as Current | null;
  for (const { position, isBoot } of placesOf(timeline, group)) {
    if (isBoot) members.clear();
    const added: string[] = isBoot ? [] : members.moveTo(timeline.viewAt(position));
    const type = timeline.typeAt(position);
    // A device that evidence names in a group whose node was found takes no node away.
    const isFound: boolean =
      type === 'group.found' || (type === 'device.added' && current?.devices.size === 0);
    const isThere: boolean = members.count > 0 || isFound;
    if (current !== null && isThere && staysWith(current, members, added)) {
      for (const device of added) current.devices.add(device);
      continue;
    }
    if (current !== null) found.push(ended(current, position));
    const devices = new Set(members.sorted());
    current = isThere
      ? { group, from: position, to: null, boot: bootAt(timeline, position), devices }
      : null;
  }
  if (current !== null) found.push(ended(current, null));
  return found.map((incarnation) => timed(timeline, incarnation));
}

/** The incarnation that lasts: each device that is there now was added to it. */
interface Current extends Omit<Untimed<Incarnation>, 'devices'> {
  readonly devices: Set<string>;
}

/** The node stays while one of its devices does, or while none is known. */
function staysWith({ devices }: Current, members: VfioMembers, added: readonly string[]): boolean {
  const others = added.filter((device) => !devices.has(device)).length;
  return devices.size === 0 || members.count > others;
}

function ended(current: Current, to: Position): Untimed<Incarnation> {
  return { ...current, to, devices: [...current.devices] };
}

/** Numbers the intervals of a group's ownership by their incarnation, from 1. */
export function numbered(
  intervals: readonly Interval[],
  incarnations: readonly Incarnation[],
): Interval[] {
  return intervals.map((interval) => {
    const at = incarnations.findLastIndex(({ from }) => from <= (interval.from ?? -1));
    return at < 0 ? interval : { ...interval, incarnation: at + 1 };
  });
}

/** Positions, ascending, at which devices of the group came, went or changed drivers; and boots. */
function* placesOf(
  timeline: Timeline,
  group: string,
): Generator<{ readonly position: number; readonly isBoot: boolean }> {
  const plugs = new Set(timeline.plugsOf(group, timeline.first, timeline.head));
  const boots = new Set<number>();
  for (let boot = timeline.bootAfter(-1); boot !== null; boot = timeline.bootAfter(boot)) {
    boots.add(boot);
  }
  for (const position of [...plugs, ...boots].toSorted((a, b) => a - b)) {
    yield { position, isBoot: boots.has(position) };
  }
}

function bootAt(timeline: Timeline, position: number): string | null {
  const event = timeline.at(timeline.bootBefore(position));
  return event.type === 'host.booted' ? event.data.boot : null;
}
