/**
 * What the number of a group meant, and from when to when: the node of that path comes and goes with
 * the VFIO devices of the group, and after a boot or a renumbering it may stand for others.
 *
 * @module
 */
import { kindOfDriver } from '../operations/driver.ts';
import type { Incarnation, Interval } from './shapes.ts';
import type { Timeline } from './timeline.ts';

/** The incarnations of a group, in order; half-open. */
export function incarnationsOf(timeline: Timeline, group: string): Incarnation[] {
  const found: Incarnation[] = [];
  for (const { position, isBoot } of placesOf(timeline, group)) {
    const last = found.at(-1);
    const current = last?.to === null ? last : undefined;
    const devices = isBoot ? [] : devicesIn(timeline, group, position);
    const isThere = devices.length > 0 || timeline.typeAt(position) === 'group.found';
    // Devices that join and leave change nothing of the node while others stay.
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
  return found;
}

/** The intervals of a group's ownership, each with the number of its incarnation from 1 on. */
export function numbered(
  intervals: readonly Interval[],
  incarnations: readonly Incarnation[],
): Interval[] {
  return intervals.map((interval) => {
    const at = incarnations.findLastIndex(({ from }) => from <= (interval.from ?? -1));
    return at < 0 ? interval : { ...interval, incarnation: at + 1 };
  });
}

/** Where devices of the group came, went or changed drivers, and where the host booted; ascending. */
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

/** The devices of a group that VFIO has. */
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
