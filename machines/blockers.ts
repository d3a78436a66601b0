/**
 * Finds what blocks a refused attempt. Each check names its function, which looks where it looked.
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import type { Blocker, HostView, Question } from './check.ts';
import { busOfDevice } from './device-model.ts';
import type { IommufdFile } from './instances.ts';
import { pasidTable } from './page-tables.ts';
import { kindOfDriver } from '../operations/driver.ts';

const file = (kind: Blocker['kind'], id: string | null): Blocker => ({
  kind,
  file: id,
  driver: null,
});

/** The open file of the group. */
export function openGroupFile({ group }: Question): Blocker {
  return file('group', group?.record.opener ?? null);
}

/** The cdev file that is bound to a device of the group. */
export function boundCdev({ group }: Question): Blocker {
  const bound = [...(group?.devices.values() ?? [])].find((d) => d.record.boundFile !== null);
  return file('device', bound?.record.boundFile ?? null);
}

/** The file through which the device is open. */
export function openDeviceFile(question: Question): Blocker {
  const { device, host } = question;
  for (const other of host.files()) {
    if (other.kind !== 'device' || other.device !== device || other.state === 'unbound') continue;
    return file('device', other.id);
  }
  return file('device', null);
}

/** A file of the device, bound or not: it delays the unbind of the driver. */
export function anyDeviceFile({ device, host }: Question): Blocker {
  for (const other of host.files()) {
    if (other.kind === 'device' && other.device === device) return file('device', other.id);
  }
  return { kind: 'driver', file: null, driver: device?.driver ?? null };
}

/** A file that delays the unbind of a device on the same bus. */
export function leavingOnBus(question: Question): Blocker {
  const { device } = question;
  const leaving = device && busOfDevice(device).find(({ state }) => state === 'leaving');
  return anyDeviceFile({ ...question, device: leaving });
}

/** The iommufd that the file is bound to already. */
export function ownContext({ device }: Question): Blocker {
  return file('iommufd', device?.record.iommufd ?? null);
}

/** The container itself: its own state blocks the call. */
export function ownContainer({ container }: Question): Blocker {
  return file('container', container?.id ?? null);
}

/** A device's file that uses the container of the group. */
export function containerUser({ group, host }: Question): Blocker {
  for (const other of host.files()) {
    if (other.kind === 'device' && other.device.group === group) return file('device', other.id);
  }
  return file('device', null);
}

/** The kernel driver of a device of the group. */
export function kernelDriver({ group }: Question): Blocker {
  const sibling = [...(group?.devices.values() ?? [])].find(
    ({ driver }) => driver !== null && kindOfDriver(driver) === 'kernel',
  );
  return { kind: 'driver', file: null, driver: sibling?.driver ?? null };
}

/** The owner of the group. */
export function owner(question: Question): Blocker {
  const { group } = question;
  if (group?.state === 'kernel') return kernelDriver(question);
  if (group?.state === 'container') return file('container', group.record.owner);
  return file('iommufd', group?.record.owner ?? null);
}

/** The container or iommufd that the group was given. */
export function givenContainer({ groupFile, host }: Question): Blocker {
  const id = groupFile?.record.container ?? null;
  const kind = id === null ? undefined : host.file(id)?.kind;
  return file(kind === 'iommufd' ? 'iommufd' : 'container', id);
}

/** The attached sibling of the device. */
export function attachedSibling({ device, group, host }: Question): Blocker {
  for (const other of host.files()) {
    if (other.kind !== 'device' || other.device.group !== group || other.device === device)
      continue;
    if (other.device.record.attached) return file('device', other.id);
  }
  return file('device', null);
}

/** A device of the group that is attached to another page table with the PASID of the call. */
export function pasidSibling({ call, group, iommufd, host }: Question): Blocker {
  const pasid = 'pasid' in call ? call.pasid : undefined;
  const table = iommufd && pasidTable(iommufd.record.pasids, group?.group ?? '', pasid ?? 0);
  return file('device', boundAs(table?.devices ?? [], iommufd, host));
}

/** The file of a device that has one of these ids in an iommufd. */
function boundAs(
  ids: readonly number[],
  iommufd: IommufdFile | undefined,
  host: HostView,
): FileId | null {
  for (const other of host.files()) {
    if (other.kind !== 'device' || other.state !== 'bound') continue;
    const { id, iommufd: context } = other.device.record;
    if (context === iommufd?.id && ids.includes(id ?? -1)) return other.id;
  }
  return null;
}

/** A file of the device that an iommufd object stands for, or that is attached to it. */
export function objectUser({ call, iommufd, host }: Question): Blocker | null {
  if (!('object' in call) || iommufd === undefined) return null;
  const { objects } = iommufd.record;
  for (const other of host.files()) {
    if (other.kind !== 'device' || other.device.record.iommufd !== iommufd.id) continue;
    const { id, attached } = other.device.record;
    if (id === call.object) return file('device', other.id);
    const hwpt = other.device.group?.record.hwpt ?? null;
    const table = hwpt === null ? undefined : objects.get(hwpt);
    if (!attached || table?.kind !== 'hwpt') continue;
    if (hwpt === call.object || table.ioas === call.object) return file('device', other.id);
  }
  const attached = iommufd.record.pasids.find((one) => {
    const table = objects.get(one.hwpt);
    return one.hwpt === call.object || (table?.kind === 'hwpt' && table.ioas === call.object);
  });
  const user = boundAs(attached?.devices ?? [], iommufd, host);
  return user === null ? file('iommufd', iommufd.id) : file('device', user);
}

/** The driver change that is pending. */
export function pendingChange({ host }: Question): Blocker {
  return { kind: 'driver', file: null, driver: host.driverChange?.device.driver ?? null };
}
