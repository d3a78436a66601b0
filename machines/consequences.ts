/**
 * What an event implies: the last release of a file, the end of ownership with it, and drivers that
 * are bound and unbound.
 *
 * Ownership ends only here, when nothing holds a file any more. Closing a descriptor is only one
 * way to that (fs/file_table.c:__fput).
 *
 * @module
 */
import type { DataOf, DevicePort } from '../events/vocabulary.ts';
import { kindOfDriver } from '../operations/driver.ts';
import type { FileId } from '../processes/process-table.ts';
import { contextOf } from './concerns.ts';
import { usualPort } from './device-model.ts';
import type { Device, DeviceFile, Group, GroupFile } from './instances.ts';
import type { HostState } from './host-state.ts';
import { isFatal, judge } from './judge.ts';
import { questionOf } from './operations.ts';
import { claimsDma, groupsDie } from './profile.ts';
import { delaysUnbind } from './unbinding.ts';

/**
 * Releases a file if nothing holds it any more, and then the files that it alone kept alive. A file
 * whose release the evidence will show is held by the kernel until then.
 */
export function release(host: HostState, id: FileId): void {
  const file = host.file(id);
  if (file === undefined || file.pinnedBy.size > 0 || host.isHeld(id)) return;
  if (host.processes.keep(id)) return;
  host.removeFile(file);
  if (file.kind === 'device') releaseDevice(host, file);
  if (file.kind === 'group') releaseGroup(host, file);
  for (const kept of host.unpin(file)) release(host, kept);
  if (file.kind === 'device') endUnbind(host, file.device);
  if (file.kind === 'group') endUnbinds(host, file.group);
}

/** Releases a device's file (vfio/vfio_main.c:vfio_device_fops_release). */
function releaseDevice(host: HostState, file: DeviceFile): void {
  const type = 'device.released';
  const { device } = file;
  const { opens, attached, id, iommufd: context } = device.record;
  const granted = file.state !== 'unbound';
  const last = granted && opens === 1;
  const iommufd = last ? contextOf(host, device) : undefined;
  const hwpt = attached ? (device.group?.record.hwpt ?? null) : null;
  host.put('device', device, { type, file: file.id, granted });
  if (!last) return;
  if (iommufd !== undefined) host.put('iommufd', iommufd, { type, id: id ?? 0, hwpt });
  for (const pin of file.pins) {
    const kept = host.file(pin);
    if (kept?.kind === 'group') host.put('groupFile', kept, { type });
  }
  if (device.group === null) return;
  // An iommufd without a name (`NAMELESS`) has a claim, too.
  const claim = context !== null;
  host.put('group', device.group, { type, claim, cdev: file.state === 'bound', attached });
}

/** Releases a group's file (vfio/group.c:vfio_group_fops_release). */
function releaseGroup(host: HostState, file: GroupFile): void {
  const container = file.record.container === null ? undefined : host.file(file.record.container);
  if (container?.kind === 'container') host.put('container', container, { type: 'container.left' });
  if (file.state !== 'dead') host.put('group', file.group, { type: 'group.released' });
}

/**
 * A device is plugged in, with its driver. If it is reported again, only its name, model and port
 * change.
 */
export function addDevice(host: HostState, data: DataOf<'device.added'>): void {
  const there = host.device(data.device);
  if (there !== undefined && isAsSaid(there, data)) {
    there.name = data.name ?? there.name;
    there.model = data.model ?? there.model;
    there.port = data.port ?? there.port;
    host.touched.devices.add(there);
    return;
  }
  if (there !== undefined) leaveGroup(host, there, data.group);
  const device: Device = {
    device: data.device,
    name: data.name,
    group: data.group === null ? null : host.groupOf(data.group),
    model: data.model,
    port: data.port ?? portOfTopology(data),
    driver: null,
    cdev: null,
    isInDoubt: false,
    ...host.fresh('device'),
  };
  host.addDevice(device);
  if (device.group !== null) host.touched.groups.add(device.group);
  if (data.driver !== null) bindDriver(host, device, data.driver, data.cdev);
}

/** Evidence has a device in another group, without its removal: its driver is one of that group now. */
function leaveGroup(host: HostState, { group, driver }: Device, next: string | null): void {
  if (group === null || driver === null || group.group === next) return;
  const kind = kindOfDriver(driver);
  const claims = claimsDma(host.profile, kind);
  host.put('group', group, { type: 'driver.unbound', kind, claims, ends: false });
}

/** The usual port of a device that comes from a topology; null if evidence has shown the device. */
function portOfTopology({ model, evidence }: DataOf<'device.added'>): DevicePort | null {
  return evidence === undefined ? usualPort(model) : null;
}

function isAsSaid(device: Device, said: DataOf<'device.added'>): boolean {
  const group = device.group?.group ?? null;
  return group === said.group && device.driver === said.driver && device.cdev === said.cdev;
}

/** A device is unplugged; its driver is unbound first. */
export function removeDevice(host: HostState, device: Device): void {
  if (device.driver !== null) unbindDriver(host, device);
  host.removeDevice(device);
}

/** A driver's probe succeeded; a kernel driver claims the group with it, if its DMA has an owner. */
export function bindDriver(
  host: HostState,
  device: Device,
  driver: string,
  cdev: string | null,
): void {
  const event = { type: 'driver.bound', kind: kindOfDriver(driver) } as const;
  const claims = claimsDma(host.profile, event.kind);
  host.learnDriver(driver);
  host.put('device', device, event);
  if (device.group !== null) host.put('group', device.group, { ...event, claims });
  device.driver = driver;
  device.cdev = cdev;
}

/**
 * A driver was unbound. If it was the group's last VFIO driver, the group's open file dies, where
 * groups do.
 */
export function unbindDriver(host: HostState, device: Device): void {
  const { driver, group } = device;
  if (driver === null) return;
  const event = { type: 'driver.unbound', kind: kindOfDriver(driver) } as const;
  host.put('device', device, event);
  device.driver = null;
  device.cdev = null;
  if (group === null) return;
  const { members, opener } = group.record;
  const file = opener === null ? undefined : host.file(opener);
  const claims = claimsDma(host.profile, event.kind);
  const ends = event.kind === 'vfio' && members <= 1 && groupsDie(host.profile);
  host.put('group', group, { ...event, claims, ends });
  if (ends && file?.kind === 'group') die(host, file);
}

/** The last VFIO device has left the group: the incarnation that the file belongs to is gone. */
function die(host: HostState, file: GroupFile): void {
  const native = file.state === 'container';
  const container = file.record.container === null ? undefined : host.file(file.record.container);
  if (container?.kind === 'container') host.put('container', container, { type: 'container.left' });
  host.put('groupFile', file, { type: 'group.died', native });
  if (native) for (const kept of host.unpin(file)) release(host, kept);
}

/** Ends the unbinds in a group that waited for its container, if that is gone. */
export function endUnbinds(host: HostState, group: Group): void {
  if (groupsDie(host.profile)) return;
  for (const device of group.devices.values()) endUnbind(host, device);
}

/**
 * Ends the unbind of a device that nothing keeps waiting any more. The driver change that it was part
 * of goes on to the next driver.
 */
function endUnbind(host: HostState, device: Device): void {
  if (device.state !== 'leaving' || delaysUnbind(host.profile, device)) return;
  unbindDriver(host, device);
  const change = host.driverChange;
  if (change?.device !== device) return;
  if (change.next === null) {
    change.outcome = { errno: null, isFatal: false };
    return;
  }
  change.outcome = outcomeOf(host, device, change.next);
  const { errno, isFatal: dies } = change.outcome;
  if (errno === null && !dies) bindDriver(host, device, change.next, host.nextCdev(change.next));
}

/** Judges the bind at the end of a driver change. The change itself does not block it. */
function outcomeOf(host: HostState, device: Device, driver: string) {
  const change = host.driverChange;
  host.driverChange = null;
  const question = questionOf(host, { operation: 'set_driver', device: device.device, driver });
  const errno = judge(host.rules, question)?.errno ?? null;
  host.driverChange = change;
  return { errno, isFatal: errno === null && isFatal(host.rules, question) };
}
