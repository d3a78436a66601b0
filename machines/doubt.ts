/**
 * What follows where not everything was seen: owners in doubt, and out of it again.
 *
 * @module
 */
import type { Attempt, DataOf } from '../events/vocabulary.ts';
import type { ObservedCause } from './causes.ts';
import { kindOfDriver } from './driver.ts';
import type { Group, OpenFile } from './host.ts';
import type { Kernel } from './kernel.ts';
import { release } from './release.ts';

/** Nothing is known any more of who owns a group, or any of them. */
export function lose(host: Kernel, name: string | null): void {
  for (const group of host.groups()) {
    if (name === null || group.group === name) host.doubt(group);
  }
}

/** Nobody has a file of these groups or of their devices: only their drivers can own them. */
export function regain(host: Kernel): void {
  const used = new Set<Group | null>();
  for (const file of host.files()) {
    if (file.kind === 'group') used.add(file.group);
    if (file.kind === 'device') used.add(file.device.group);
  }
  for (const group of host.groups()) {
    if (!group.isInDoubt || used.has(group)) continue;
    Object.assign(group, claimedByDrivers(group, host.fresh('group')), {
      unknownSince: null,
      isInDoubt: false,
      certainty: host.certainty,
    });
    host.touched.groups.add(group);
  }
}

/** A group as its devices' drivers alone have it. */
function claimedByDrivers(
  { devices, record: { members } }: Group,
  { state, record }: Pick<Group, 'state' | 'record'>,
): Pick<Group, 'state' | 'record'> {
  const kinds = [...devices.values()].flatMap(({ driver }) =>
    driver === null ? [] : [kindOfDriver(driver)],
  );
  const claims = kinds.filter((kind) => kind === 'kernel').length;
  const there = kinds.filter((kind) => kind === 'vfio').length;
  return {
    state: claims > 0 ? 'kernel' : state,
    record: { ...record, claims, members: devices.size > 0 ? there : members },
  };
}

/** A refusal that the rules do not explain, on a host whose beginning nobody saw: there is more. */
export function suspect(host: Kernel, refused: DataOf<'operation.refused'>): void {
  if (!host.isAssumed) return;
  const { group } = host.question(refused);
  if (group === undefined || host.explain(refused).cause !== 'unknown') return;
  host.doubt(group);
}

/** Causes that end when a file is released. */
const standing = new Set<ObservedCause>([
  'cdev-bound-in-group',
  'device-open-elsewhere',
  'group-already-open',
  'group-file-open',
  'group-pinned-by-device-file',
  'owned-by-container',
  'owned-by-other-iommufd',
]);

/**
 * A call has passed that somebody stands in the way of: they had gone, and nobody saw them go. Where
 * the whole of a host was seen it is a contradiction instead.
 */
export function evict(host: Kernel, attempt: Attempt): void {
  const refusal = host.objection(attempt);
  if (refusal === null || !standing.has(refusal.cause)) return;
  const { group, file, argument, device } = host.question(attempt);
  const of = group ?? device?.group ?? null;
  const isInTheWay = (other: OpenFile): boolean => {
    if (other === file || other === argument) return false;
    if (other.kind === 'group') return other.group === of;
    if (other.kind !== 'device' || other.state === 'unbound') return false;
    if (file !== undefined && other.pins.has(file.id)) return false;
    if (other.device === device) return true;
    const isOurs = argument !== undefined && other.pins.has(argument.id);
    return of !== null && other.device.group === of && !isOurs;
  };
  for (const { id } of [...host.files()].filter(isInTheWay)) {
    host.contradict(`${id} had gone before, or ${refusal.errno} would have been the answer`);
    host.processes.evict(id);
    release(host, id);
  }
}
