/**
 * The incarnations of a group by all devices of the host at each place of the log.
 *
 * @module
 */
import { kindOfDriver } from '../../operations/driver.ts';
import type { Incarnation } from '../../projections/interval-shapes.ts';
import { timed, type Untimed } from '../../projections/timed.ts';
import type { Timeline } from '../../projections/timeline.ts';

/** As `incarnationsOf`. */
export function bruteIncarnationsOf(timeline: Timeline, group: string): Incarnation[] {
  const found: Untimed<Incarnation>[] = [];
  const plugs = new Set(timeline.plugsOf(group, timeline.first, timeline.head));
  for (let position = timeline.first; position <= timeline.head; position++) {
    const type = timeline.typeAt(position);
    const isBoot = type === 'host.booted';
    if (!isBoot && !plugs.has(position)) continue;
    const last = found.at(-1)?.to === null ? found.pop() : undefined;
    const devices = isBoot ? [] : devicesIn(timeline, group, position);
    const before = last?.devices ?? [];
    const isFound =
      type === 'group.found' ||
      (type === 'device.added' && last !== undefined && before.length === 0);
    const isThere = devices.length > 0 || isFound;
    const isKept = before.length === 0 || devices.some((device) => before.includes(device));
    if (last !== undefined && isThere && isKept) {
      found.push({ ...last, devices: [...new Set([...before, ...devices])] });
      continue;
    }
    if (last !== undefined) found.push({ ...last, to: position });
    const event = timeline.at(timeline.bootBefore(position));
    const boot = event.type === 'host.booted' ? event.data.boot : null;
    if (isThere) found.push({ group, from: position, to: null, boot, devices });
  }
  return found.map((incarnation) => timed(timeline, incarnation));
}

/** The devices of a group that are bound to a VFIO driver, by address. */
function devicesIn(timeline: Timeline, group: string, position: number): string[] {
  return [...timeline.viewAt(position).devices()]
    .filter(({ group: of, driver }) => of === group && kindOfDriver(driver ?? '') === 'vfio')
    .map(({ device }) => device)
    .toSorted();
}
