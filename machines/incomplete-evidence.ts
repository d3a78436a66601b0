/**
 * Hosts whose boot was not recorded: when an owner becomes unknown, and when it is known again.
 *
 * @module
 */
import type { Attempt, DataOf } from '../events/vocabulary.ts';
import type { ObservedCause } from './causes.ts';
import type { Question } from './check.ts';
import { kindOfDriver } from '../operations/driver.ts';
import { rowOf } from '../operations/table.ts';
import { unbindDriver } from './consequences.ts';
import {
  groupPath,
  withoutDoubt,
  type Device,
  type DeviceFile,
  type Group,
  type OpenFile,
} from './instances.ts';
import { positionOf } from '../processes/process-table.ts';
import { mayMean } from './judge.ts';
import type { Kernel } from './kernel.ts';
import { release } from './consequences.ts';
import { hasDmaOwner, type Profile } from './profile.ts';
import { NAMELESS } from './unshown.ts';
import { isFileShown } from './unshown-arguments.ts';

/**
 * The owner of a group becomes unknown, also of one of which no event has told before; if the name is
 * null, that of every group, and of every device whose group is not known. A gap that was inferred, or is
 * of the whole host, may hide releases of files; another one says only that it is not known who owns.
 */
export function lose(host: Kernel, name: string | null): void {
  const lost = name === null ? [...host.groups()] : [host.groupOf(name)];
  for (const group of lost) {
    host.doubt(group);
    if (name === null || host.certainty === 'inferred') group.lostAt = host.position;
  }
  if (name !== null) return;
  for (const device of host.devices()) if (device.group === null) setDoubt(host, device, true);
}

function setDoubt(host: Kernel, device: Device, isInDoubt: boolean): void {
  if (device.isInDoubt === isInDoubt) return;
  device.isInDoubt = isInDoubt;
  host.touched.devices.add(device);
}

/** After a complete reading of the host: what has no open file is no longer in doubt. */
export function regain(host: Kernel): void {
  for (const device of host.devices()) {
    if (device.record.files === 0) setDoubt(host, device, false);
  }
  for (const group of host.groups()) group.lostAt = null;
  const used = new Set<Group | null>();
  for (const file of host.files()) {
    if (file.kind === 'group') used.add(file.group);
    if (file.kind === 'device') used.add(file.device.group);
  }
  for (const group of host.groups()) {
    if (!group.isInDoubt || used.has(group)) continue;
    Object.assign(group, claimedByDrivers(group, host.fresh('group'), host.profile), {
      ...withoutDoubt,
      certainty: host.certainty,
    });
    host.touched.groups.add(group);
  }
}

/** The state of a group whose only owners can be the drivers of its devices. */
function claimedByDrivers(
  { devices, record: { members } }: Group,
  { state, record }: Pick<Group, 'state' | 'record'>,
  profile: Profile,
): Pick<Group, 'state' | 'record'> {
  const kinds = [...devices.values()].flatMap(({ driver }) =>
    driver === null ? [] : [kindOfDriver(driver)],
  );
  const kernel = kinds.filter((kind) => kind === 'kernel').length;
  const [claims, unclaimed] = hasDmaOwner(profile) ? [kernel, 0] : [0, kernel];
  const there = kinds.filter((kind) => kind === 'vfio').length;
  return {
    state: claims > 0 ? 'kernel' : state,
    record: { ...record, claims, unclaimed, members: devices.size > 0 ? there : members },
  };
}

/** Causes that last until a file is released. */
const standing = new Set<ObservedCause>([
  'cdev-bound-in-group',
  'device-open-elsewhere',
  'group-already-open',
  'group-file-open',
  'group-pinned-by-device-file',
  'owned-by-container',
  'owned-by-other-iommufd',
]);

/** Causes that last until a kernel driver is unbound. */
const ofDrivers = new Set<ObservedCause>(['group-not-viable', 'owned-by-kernel-driver']);

/** Causes that a file or driver without a record may explain. */
const strangers = new Set<ObservedCause>([...standing, ...ofDrivers, 'owned-by-user']);

/**
 * A refusal that the rules do not explain, on a host whose boot was not recorded. If an owner that
 * was not recorded can be the reason, the owner of the group becomes unknown.
 */
export function suspect(host: Kernel, refused: DataOf<'operation.refused'>): void {
  const { operation, errno } = refused;
  if (!host.isAssumed || errno === null) return;
  const group = groupRefused(host, refused);
  if (group === undefined || host.explain(refused).cause !== 'unknown') return;
  if (mayMean(host.rules, operation, errno, strangers)) host.doubt(group);
}

/** The group that a refusal concerns: that of its file, or the one that the evidence names. */
function groupRefused(host: Kernel, refused: DataOf<'operation.refused'>): Group | undefined {
  const { group } = host.question(refused);
  if (group !== undefined || isFileShown(refused)) return group;
  const named = refused as { readonly group?: string; readonly device?: unknown };
  if (named.group !== undefined) return host.group(named.group);
  return host.device(String(named.device))?.group ?? undefined;
}

/**
 * A call has passed although, by the rules, a file or a driver blocks it. As the boot was not
 * recorded, the blocker must have gone without a record. If the whole host was recorded, it is a
 * contradiction instead.
 */
export function evict(host: Kernel, attempt: Attempt): void {
  if (rowOf(attempt.operation).context === 'given') evictStrangers(host, host.question(attempt));
  if ('group' in attempt) evictUntaken(host, groupPath(attempt.group));
  for (;;) {
    const refusal = host.objection(attempt);
    if (refusal === null) return;
    const question = host.question(attempt);
    if (ofDrivers.has(refusal.cause)) return unbindKernelDrivers(host, question, refusal.errno);
    if (!standing.has(refusal.cause)) return;
    const gone = inTheWay(refusal.cause, question);
    letGo(host, gone, refusal.errno);
    if (gone.every(({ id }) => host.file(id) !== undefined)) return;
  }
}

/** Evicts files got through an unrecorded iommufd that are older than the iommufd of the call. */
function evictStrangers(host: Kernel, { group, argument, events }: Question): void {
  if (group?.record.owner !== NAMELESS || argument?.kind !== 'iommufd') return;
  // An iommufd that serves as container does not own the group yet.
  if (events.group === undefined || !('iommufd' in events.group)) return;
  const isOlder = (file: OpenFile) =>
    file.kind === 'device' &&
    file.state === 'granted' &&
    file.device.group === group &&
    file.device.record.iommufd === NAMELESS &&
    positionOf(file.id) < positionOf(argument.id);
  letGo(host, [...host.files()].filter(isOlder), 'EPERM');
}

/**
 * Evicts the files of a group that no machine has taken, as no device of it was recorded: their
 * opens were contradictions already. They have been closed, or their group has died.
 */
function evictUntaken(host: Kernel, path: string): void {
  const gone = [...host.files()].filter((file) => file.kind === 'other' && file.path === path);
  for (const { id } of gone) {
    host.processes.evict(id);
    host.touched.evicted.add(id);
    release(host, id);
  }
}

function letGo(host: Kernel, gone: readonly OpenFile[], errno: string): void {
  for (const { id } of gone) {
    host.contradict({ kind: 'file-gone', file: id, errno });
    host.processes.evict(id);
    host.touched.evicted.add(id);
  }
  for (const { id } of gone) release(host, id);
}

function unbindKernelDrivers(host: Kernel, { group, device }: Question, errno: string): void {
  const of = group ?? device?.group;
  for (const member of of?.devices.values() ?? []) {
    const { driver } = member;
    if (driver === null || kindOfDriver(driver) !== 'kernel') continue;
    host.contradict({ kind: 'driver-gone', driver, device: member.device, errno });
    unbindDriver(host, member);
    host.touched.unbound.add(member.device);
  }
}

/** The files that block a call, by the cause of its refusal. */
function inTheWay(cause: ObservedCause, question: Question): OpenFile[] {
  const { file, argument, host } = question;
  const device = file?.kind === 'device' ? file.device : question.device;
  const group = question.group ?? device?.group ?? null;
  const isItself = (other: OpenFile): boolean => {
    switch (cause) {
      case 'device-open-elsewhere':
        return isOpen(other) && other.device === device;
      case 'cdev-bound-in-group':
        return isOpen(other) && other.state === 'bound' && other.device.group === group;
      case 'owned-by-other-iommufd': {
        const isOurs = argument !== undefined && other.pins.has(argument.id);
        return isOpen(other) && other.device.group === group && !isOurs;
      }
      default:
        return other.kind === 'group' && other.group === group;
    }
  };
  const ours = (other: OpenFile) => other === file || other === argument;
  const found = [...host.files()].filter((other) => !ours(other) && isItself(other));
  // Files that keep one of them alive must have gone as well.
  const keep = [...host.files()].filter((other) => found.some(({ id }) => other.pins.has(id)));
  return [...found, ...keep.filter((other) => !ours(other) && !found.includes(other))];
}

function isOpen(file: OpenFile): file is DeviceFile {
  return file.kind === 'device' && file.state !== 'unbound';
}
