/**
 * Devices, their drivers and their groups, where they are otherwise than the log knows.
 *
 * @module
 */
import type { DeviceAt, PlayedDevice } from '../../machines/host-at.ts';
import type { ReadDevice } from '../reading/reading.ts';
import { nodeOf } from '../witness/nodes.ts';
import { isVfio, type Scene } from './scene.ts';

/** What has become of a device: it is not there, or elsewhere, or has another driver. */
type DeviceChange = 'removed' | 'moved' | 'driver';

/** The devices that the reading has otherwise than the log; no file of theirs is still the same. */
export function changesOf(scene: Scene): ReadonlyMap<string, DeviceChange> {
  const changes = new Map<string, DeviceChange>();
  for (const known of scene.host.devices()) {
    const change = changeOf(scene, known);
    if (change !== null) changes.set(known.device, change);
  }
  return changes;
}

function changeOf(scene: Scene, known: DeviceAt): DeviceChange | null {
  const read = scene.devices.get(known.device);
  if (read === undefined) {
    const isListed = known.group !== null || isVfio(known.driver);
    return scene.reading.hasDevices && isListed && !isHidden(scene, known) ? 'removed' : null;
  }
  const isLearnt = known.group === null || (known.cdev === null && known.driver === read.driver);
  const isElsewhere =
    (read.group !== null && read.group !== known.group) ||
    (read.cdev !== null && read.cdev !== known.cdev && read.driver === known.driver);
  if (isElsewhere) return isLearnt && isHeldUnseen(scene, known.device) ? null : 'moved';
  return read.isSeen && read.driver !== known.driver ? 'driver' : null;
}

/** Whether a device that goes by its node alone is held by somebody who cannot be looked at. */
function isHidden(scene: Scene, { device, cdev }: DeviceAt): boolean {
  return device === cdev && isHeldUnseen(scene, device);
}

function isHeldUnseen(scene: Scene, device: string): boolean {
  return scene.reading.listed.hidden.some((pid) => {
    const process = scene.host.process(pid);
    if (process === undefined) return false;
    const files = [...scene.filesIn(process).values(), ...scene.mappedIn(process).values()];
    return files.some((file) => file.device === device);
  });
}

/** Whether somebody has the device open still: then it is as it was, whoever could not be seen. */
function isOpen(scene: Scene, device: string): boolean {
  return [...scene.host.files()].some((file) => file.device === device);
}

export function tellDevices(scene: Scene): void {
  const before = new Map([...scene.host.devices()].map((known) => [known.device, known]));
  const { driverChange } = scene.host;
  const changes = [...changesOf(scene)].filter(([device]) => !isOpen(scene, device));
  for (const [device, change] of changes) {
    const driver = before.get(device)?.driver ?? null;
    if (change !== 'driver') {
      scene.tell({ type: 'device.removed', data: { device } }, 'gone-from-the-host');
    } else if (driver !== null) {
      scene.tell({ type: 'driver.unbound', data: { device, driver } }, 'read-from-the-host');
    }
  }
  for (const read of scene.devices.values()) {
    const { device, driver, cdev } = read;
    const known = scene.host.device(device);
    if (known === undefined) addDevice(scene, read, before.get(device));
    else if (driver !== null && known.driver === null && read.isSeen) {
      const data = { device, driver, cdev };
      scene.tell({ type: 'driver.bound', data }, 'read-from-the-host');
    }
  }
  settle(scene, driverChange);
  for (const { kind, device, cdev } of scene.files) {
    if (kind !== 'device' || device === null || scene.host.device(device) !== undefined) {
      continue;
    }
    const data = { device, name: null, group: null, driver: 'vfio-pci', model: null, cdev };
    scene.tell({ type: 'device.added', data }, 'has-a-node');
  }
  tellGroups(scene);
}

function addDevice(
  scene: Scene,
  { device, group, driver, cdev }: ReadDevice,
  old: PlayedDevice | undefined,
): void {
  const { name = null, model = null } = old ?? {};
  const data = { device, name, group, driver, model, cdev };
  scene.tell({ type: 'device.added', data }, 'read-from-the-host', 'observed');
}

/** A driver change that waited is over once the device has another driver than it had. */
function settle(scene: Scene, change: Scene['host']['driverChange']): void {
  const read = change === null ? undefined : scene.devices.get(change.device);
  if (change === null || read?.isSeen !== true) return;
  const known = scene.host.device(change.device)?.driver ?? null;
  const was = scene.before.device(change.device)?.driver ?? null;
  if (known !== read.driver || (!change.isOver && known === was)) return;
  const data = { device: change.device, driver: read.driver };
  scene.tell({ type: 'driver.settled', data }, 'read-from-the-host', 'observed');
}

/** Groups of which there is a node, or a file, and of whose devices nothing is known. */
function tellGroups(scene: Scene): void {
  const nodes = scene.reading.nodes.flatMap(({ path, kind, devnum }) => {
    const group = kind === 'group' ? nodeOf(path)?.name : undefined;
    return group === undefined ? [] : [{ group, devnum }];
  });
  const opened = scene.files.flatMap(({ kind, group, isDeleted }) =>
    kind === 'group' && group !== null && !isDeleted ? [{ group, devnum: null }] : [],
  );
  for (const { group, devnum } of [...nodes, ...opened]) {
    if ((scene.host.group(group)?.members ?? 0) > 0) continue;
    const members = [...scene.devices.values()].filter((device) => device.group === group);
    if (members.some(({ isSeen }) => isSeen)) continue;
    const data = { group, ...(devnum !== null && { devnum }) };
    scene.tell({ type: 'group.found', data }, 'read-from-the-host', 'observed');
  }
}
