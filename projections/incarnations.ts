/**
 * Incarnations: which devices `/dev/vfio/N` stood for, and from when to when. The node appears and
 * disappears with the VFIO devices of the group; after a boot or a renumbering, the same number may
 * mean other devices.
 *
 * @module
 */
import { kindOfDriver } from '../operations/driver.ts';
import type { Incarnation, Interval } from './interval-shapes.ts';
import { timed, type Untimed } from './timed.ts';
import type { Timeline } from './timeline.ts';

/** The incarnations of a group, in order; half-open. */
export function incarnationsOf(timeline: Timeline, group: string): Incarnation[] {
  const found: Untimed<Incarnation>[] = [];
  for (const { position, isBoot } of placesOf(timeline, group)) {
    const last = found.at(-1);
    const current = last?.to === null ? last : undefined;
    const devices = isBoot ? [] : devicesIn(timeline, group, position);
    const type = timeline.typeAt(position);
    // A device that evidence names in a group whose node was found takes no node away.
    const isFound =
      type === 'group.found' || (type === 'device.added' && current?.devices.length === 0);
    const isThere = devices.length > 0 || isFound;
    // The node stays while one of its devices does.
    const stays =
      isThere &&
      current !== undefined &&
      (current.devices.length === 0 || devices.some((device) => current.devices.includes(device)));
    if (stays) {
      const all = [...new Set([...current.devices, ...devices])];
      found[found.length - 1] = { ...current, devices: all };
      continue;
    }
    if (current !== undefined) found[found.length - 1] = { ...current, to: position };
    if (!isThere) continue;
    found.push({ group, from: position, to: null, boot: bootAt(timeline, position), devices });
  }
  return found.map((incarnation) => timed(timeline, incarnation));
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

/** The devices of a group that are bound to a VFIO driver, by address. */
function devicesIn(timeline: Timeline, group: string, position: number): string[] {
  const devices = [...timeline.viewAt(position).devices()];
  return devices
    .filter(({ group: of, driver }) => {
      return of === group && driver !== null && kindOfDriver(driver) === 'vfio';
    })
    .map(({ device }) => device)
    .toSorted();
}

function bootAt(timeline: Timeline, position: number): string | null {
  const event = timeline.at(timeline.bootBefore(position));
  return event.type === 'host.booted' ? event.data.boot : null;
}
