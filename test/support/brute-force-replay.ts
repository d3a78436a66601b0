/**
 * What each event does to a host of plain maps, and what follows from it by itself.
 *
 * @module
 */
import type { DataOf, EventType } from '../../events/vocabulary.ts';
import type { RecordedEvent } from '../../ledger.ts';
import {
  type Device,
  type DeviceFile,
  deviceFile,
  deviceOf,
  fileAt,
  type FileId,
  filesOfDevice,
  groupFile,
  type Host,
  iommufdOf,
  isVfio,
  keptBy,
  kindOf,
  membersOf,
  type OpenFile,
  ownerOf,
  processOf,
  usesDmaApi,
} from './brute-force-host.ts';

/** A host that these events happened to, and nothing before them. */
export function replay(events: readonly RecordedEvent[]): Host {
  const host: Host = { isOld: false, processes: new Map(), files: new Map(), devices: new Map() };
  for (const event of events) {
    const effect = effects[event.type] as Effect<EventType>;
    effect(host, event.data, `f${event.position}`);
    settle(host);
  }
  return host;
}

/** `file` is the id of the file that the event opens, if it opens one. */
type Effect<T extends EventType> = (host: Host, data: DataOf<T>, file: FileId) => void;

const nothing = () => {};

const effects: { readonly [T in EventType]: Effect<T> } = {
  'history.archived': nothing,
  'history.removed': nothing,
  'host.died': nothing,
  'gap.noticed': nothing,
  'snapshot.taken': nothing,
  'evidence.begun': nothing,
  'claim.granted': nothing,
  'claim.released': nothing,
  'claim.refused': nothing,
  'file.released': nothing,
  'group.found': nothing,
  'host.booted': (host, { profile, kernel }) => {
    const { processes, files, devices } = host;
    host.isOld = profile === 'linux-5.10' || (profile === null && kernel.startsWith('5.10.'));
    for (const map of [processes, files, devices]) map.clear();
  },
  'device.added': ({ devices }, { device, name, group, driver }) => {
    devices.set(device, { name, group, driver, leaving: null });
  },
  'device.removed': ({ devices }, { device }) => {
    devices.delete(device);
  },
  'driver.bound': (host, { device, driver }) => {
    deviceOf(host, device).driver = driver;
  },
  'driver.unbound': (host, { device }) => {
    deviceOf(host, device).driver = null;
  },
  'driver.unbind-blocked': (host, { device, next }) => {
    deviceOf(host, device).leaving = { next };
  },
  'driver.settled': (host, { device, driver }) => {
    const now = deviceOf(host, device);
    if (now.leaving !== null || now.driver !== driver) {
      throw new Error(`${device} was seen on ${driver}, here it is on ${JSON.stringify(now)}`);
    }
  },

  'process.started': ({ processes, files }, { pid, comm, cgroup }, terminal) => {
    const opened = { file: terminal, cloexec: false };
    const descriptors = new Map([0, 1, 2].map((fd) => [fd, opened]));
    processes.set(pid, { comm, cgroup, descriptors, mappings: new Map() });
    files.set(terminal, { kind: 'other' });
  },
  'process.found': ({ processes }, { pid, comm: said, cgroup }) => {
    const known = processes.get(pid);
    const comm = said ?? known?.comm ?? `pid ${pid}`;
    const process = { descriptors: new Map(), mappings: new Map(), ...known, comm, cgroup };
    processes.set(pid, process);
  },
  'descriptor.flagged': (host, { pid, fd, cloexec }) => {
    const descriptor = processOf(host, pid).descriptors.get(fd);
    if (descriptor) processOf(host, pid).descriptors.set(fd, { ...descriptor, cloexec });
  },
  'process.forked': (host, { pid, child, comm }) => {
    const { cgroup, descriptors, mappings } = processOf(host, pid);
    host.processes.set(child, {
      comm,
      cgroup,
      descriptors: new Map(descriptors),
      mappings: new Map(mappings),
    });
  },
  'process.executed': (host, { pid }) => {
    const { descriptors, mappings } = processOf(host, pid);
    for (const [fd, { cloexec }] of descriptors) if (cloexec) descriptors.delete(fd);
    mappings.clear();
  },
  'process.exited': ({ processes }, { pid }) => {
    processes.delete(pid);
  },
  'descriptor.duplicated': (host, { pid, fd, as }) => {
    const file = fileAt(host, pid, fd);
    if (as !== fd) processOf(host, pid).descriptors.set(as, { file, cloexec: false });
  },
  'descriptor.passed': (host, { pid, fd, to, as }) => {
    const file = fileAt(host, pid, fd);
    processOf(host, to).descriptors.set(as, { file, cloexec: false });
  },
  'descriptor.closed': (host, { pid, fd }) => {
    processOf(host, pid).descriptors.delete(fd);
  },
  'mapping.created': (host, { pid, fd, mapping }) => {
    processOf(host, pid).mappings.set(mapping, fileAt(host, pid, fd));
  },
  'mapping.removed': (host, { pid, mapping }) => {
    processOf(host, pid).mappings.delete(mapping);
  },

  'group.opened': (host, { pid, fd, group, cloexec }, file) => {
    open(host, file, { kind: 'group', group, container: null, dead: false }, { pid, fd, cloexec });
  },
  'container.opened': (host, opened, file) => open(host, file, { kind: 'container' }, opened),
  'iommufd.opened': (host, opened, file) => open(host, file, { kind: 'iommufd' }, opened),
  'path.opened': (host, { pid, fd }, file) => {
    open(host, file, { kind: 'other' }, { pid, fd, cloexec: false });
  },
  'device.opened': (host, { pid, fd, device, cloexec }, file) => {
    const opened: DeviceFile = { kind: 'device', device, cdev: true, keeps: null, attached: false };
    open(host, file, opened, { pid, fd, cloexec });
  },
  'device.obtained': (host, { pid, fd, device, as }, file) => {
    const keeps = whatObtainedKeeps(host, fileAt(host, pid, fd), device ?? '');
    const opened: DeviceFile = {
      kind: 'device',
      device: device ?? '',
      cdev: false,
      keeps,
      attached: false,
    };
    open(host, file, opened, { pid, fd: as, cloexec: true });
  },

  'container.set': (host, { pid, fd, container }) => {
    groupFile(host, fileAt(host, pid, fd)).container = fileAt(host, pid, container ?? -1);
  },
  'container.unset': (host, { pid, fd }) => {
    groupFile(host, fileAt(host, pid, fd)).container = null;
  },
  'device.bound': (host, { pid, fd, iommufd }) => {
    deviceFile(host, fileAt(host, pid, fd)).keeps = fileAt(host, pid, iommufd ?? -1);
  },
  'device.attached': (host, { pid, fd, pasid }) => {
    if ((pasid ?? 0) !== 0) return;
    Object.assign(deviceFile(host, fileAt(host, pid, fd)), { attached: true, asked: pasid });
  },
  'device.detached': (host, { pid, fd, pasid }) => {
    const file = deviceFile(host, fileAt(host, pid, fd));
    // A detach with PASID 0 undoes an attach with PASID 0, and one without a PASID one without.
    if (pasid === file.asked) file.attached = false;
  },

  'iommu.set': nothing,
  'ioas.allocated': nothing,
  'ioas.mapped': nothing,
  'hwpt.allocated': nothing,
  'object.destroyed': nothing,
  'compat-ioas.set': nothing,
  'compat-ioas.cleared': nothing,
  'device.reset': nothing,
  'device.hot-reset': nothing,
  'operation.refused': nothing,
};

function open(
  host: Host,
  id: FileId,
  file: OpenFile,
  { pid, fd, cloexec }: { pid: number; fd: number; cloexec: boolean },
): void {
  host.files.set(id, file);
  processOf(host, pid).descriptors.set(fd, { file: id, cloexec });
}

/** Its group file; but with an iommufd as container, the iommufd of the device's first open. */
function whatObtainedKeeps(host: Host, from: FileId, device: string): FileId {
  const { container } = groupFile(host, from);
  if (container === null) throw new Error(`${device} was got from ${from}, which has no container`);
  if (kindOf(host, container) === 'container') return from;
  return iommufdOf(host, device) ?? container;
}

/** Lets go of what nobody holds, and of what goes with that, until nothing more follows. */
function settle(host: Host): void {
  release(host);
  for (const [id, device] of host.devices) {
    if (device.leaving === null || filesOfDevice(host, id).length > 0) continue;
    if (host.isOld && isLastInContainer(host, device)) continue;
    const { next } = device.leaving;
    device.leaving = null;
    device.driver = null;
    buryGroups(host);
    device.driver = next !== null && mayBind(host, device, next) ? next : null;
  }
  buryGroups(host);
}

/** A file lives while a descriptor, a mapping or a living file holds it. */
function release(host: Host): void {
  const living = new Set<FileId>();
  const reach = (id: FileId) => {
    living.add(id);
    for (const kept of keptBy(host, id)) reach(kept);
  };
  for (const { descriptors, mappings } of host.processes.values()) {
    for (const { file } of descriptors.values()) reach(file);
    for (const file of mappings.values()) reach(file);
  }
  for (const id of host.files.keys()) if (!living.has(id)) host.files.delete(id);
}

/** A group that no vfio device is in any more leaves its open file dead, and its container. */
function buryGroups(host: Host): void {
  if (host.isOld) return release(host);
  for (const file of host.files.values()) {
    if (file.kind !== 'group' || membersOf(host, file.group).some(isVfio)) continue;
    file.dead = true;
    const native = file.container !== null && kindOf(host, file.container) === 'container';
    if (native) file.container = null;
  }
  release(host);
}

function isLastInContainer(host: Host, { group }: Device): boolean {
  if (group === null || membersOf(host, group).filter(isVfio).length > 1) return false;
  return ownerOf(host, group).kind === 'container';
}

/** Whether ownership lets it; that the driver is there and fits the device is taken for granted. */
function mayBind(host: Host, { group }: Device, driver: string): boolean {
  if (!usesDmaApi(driver) || group === null) return true;
  const { kind } = ownerOf(host, group);
  return kind === 'none' || kind === 'kernel';
}
