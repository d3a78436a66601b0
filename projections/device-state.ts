/**
 * The state of a device as answers show it, and the open files of devices.
 *
 * @module
 */
import type { DeviceAt, FileAt, HostAt } from '../machines/host-at.ts';
import type { DeviceView, Owner } from './shapes.ts';

/**
 * What a device with an owner is itself, or `unknown`; `unnamed` are the groups with an open file of a
 * device that has no name.
 */
export function deviceState(
  host: HostAt,
  device: DeviceAt,
  owner: Owner,
  unnamed: ReadonlySet<string>,
): DeviceView['state'] {
  const group = device.group === null ? undefined : host.group(device.group);
  const isOfLost = group !== undefined && (group.isUnknown || unnamed.has(group.group));
  const isLost = isOfLost || device.isUnknown;
  const isUnseen = isOfNobodySeen(device, owner) || isHeldUnseen(host, device);
  return isLost || isUnseen ? 'unknown' : device.state;
}

/** Whether an unbind waits for an idle device: then a process that was not recorded has it open. */
function isHeldUnseen({ driverChange }: HostAt, { device, state }: DeviceAt): boolean {
  const isWaitedFor = driverChange?.device === device && !driverChange.isOver;
  return isWaitedFor && state === 'idle';
}

/**
 * Whether evidence names a device, and shows neither its group nor anybody who has it open: programs that
 * were refused name it, or listings of drivers. Then it is not known to be free.
 */
function isOfNobodySeen({ group, state }: DeviceAt, owner: Owner): boolean {
  return owner.kind === 'unknown' && (state === 'idle' || (state === 'absent' && group === null));
}

/** The open files of each device, and the groups with an open file of a device that has no name. */
export function devicesFiles(host: HostAt) {
  const of = new Map<string, FileAt[]>();
  const unnamed = new Set<string>();
  for (const file of host.files()) {
    const { kind, device, group } = file;
    if (kind !== 'device' || file.isGone) continue;
    if (device === null) {
      if (group !== null) unnamed.add(group);
      continue;
    }
    const files = of.get(device);
    if (files === undefined) of.set(device, [file]);
    else files.push(file);
  }
  return { of, unnamed };
}

/** The open files of a device, without those of an unplugged one at its address. */
export function filesOfDevice(host: HostAt, device: DeviceAt): FileAt[] {
  return devicesFiles(host).of.get(device.device) ?? [];
}
