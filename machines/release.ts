/**
 * The last release of a file, and what it implies.
 *
 * Ownership ends here and nowhere else: closing a descriptor is only one of the ways to get here
 * (fs/file_table.c:__fput).
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import { endUnbind } from './drivers.ts';
import type { DeviceFile, GroupFile } from './host.ts';
import type { HostState } from './host-state.ts';
import { contextOf } from './concerns.ts';

/** Releases a file if nobody holds it any more, and then what it alone kept alive. */
export function release(host: HostState, id: FileId): void {
  const file = host.file(id);
  if (file === undefined || file.pinnedBy.size > 0 || host.isHeld(id)) return;
  host.removeFile(file);
  if (file.kind === 'device') releaseDevice(host, file);
  if (file.kind === 'group') releaseGroup(host, file);
  for (const kept of host.unpin(file)) release(host, kept);
  if (file.kind === 'device') endUnbind(host, file.device);
}

/** vfio/vfio_main.c:vfio_device_fops_release */
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
  // Also one that nobody has seen the name of has claimed.
  const claim = context !== null;
  host.put('group', device.group, { type, claim, cdev: file.state === 'bound', attached });
}

/** vfio/group.c:vfio_group_fops_release */
function releaseGroup(host: HostState, file: GroupFile): void {
  const container = file.record.container === null ? undefined : host.file(file.record.container);
  if (container?.kind === 'container') host.put('container', container, { type: 'container.left' });
  if (file.state !== 'dead') host.put('group', file.group, { type: 'group.released' });
}
