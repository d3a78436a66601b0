/**
 * Compares the devices of a reading, their drivers and their groups with the log, and turns the
 * differences into facts.
 *
 * @module
 */
import type { DeviceAt, PlayedDevice } from '../../machines/host-at.ts';
import type { ReadDevice } from '../reading/reading.ts';
import { nodeOf } from '../witness/nodes.ts';
import { isVfio, type Scene } from './scene.ts';

/** What differs: the device is gone, has another group or node, or has another driver. */
type DeviceChange = 'removed' | 'moved' | 'driver';

/** The devices that differ from the log. Files that the log knows of them cannot be open any more. */
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

/** Whether a device that is known by its node alone is held by a process that cannot be read. */
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

/** Whether the device is still open. Then it has not changed, even if its holder could not be read. */
function isOpen(scene: Scene, device: string): boolean {
  return [...scene.host.files()].some((file) => file.device === device);
}

/** Tells of devices that were added, removed, bound or unbound, and of groups that have only a node. */
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
  const { name = null, model = null, port = null } = old ?? {};
  const data = { device, name, group, driver, model, cdev, ...(port !== null && { port }) };
  scene.tell({ type: 'device.added', data }, 'read-from-the-host', 'observed');
}

/** Tells that a blocked driver change is over, if the device now has another driver. */
function settle(scene: Scene, change: Scene['host']['driverChange']): void {
  const read = change === null ? undefined : scene.devices.get(change.device);
  if (change === null || read?.isSeen !== true) return;
  const known = scene.host.device(change.device)?.driver ?? null;
  const was = scene.before.device(change.device)?.driver ?? null;
  if (known !== read.driver || (!change.isOver && known === was)) return;
  const data = { device: change.device, driver: read.driver };
  scene.tell({ type: 'driver.settled', data }, 'read-from-the-host', 'observed');
}

/** Tells of groups that have a node or an open file, and none of whose devices is known. */
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
