/**
 * The ownership table worked out the slow way: everything since the boot is played again from
 * nothing, into plain maps, and each answer is searched for among them.
 *
 * It shares nothing with the project but types, so that an error has to be made twice to pass.
 * A log that says what cannot be (an unknown descriptor, two owners of a group) makes it throw.
 *
 * @module
 */
import type { DataOf, EventType } from '../../events/vocabulary.ts';
import type {
  DeviceView,
  FileView,
  GroupView,
  Holder,
  Owner,
  RecordedEvent,
  Table,
} from '../../ledger.ts';

type FileId = string;

interface Descriptor {
  readonly file: FileId;
  readonly cloexec: boolean;
}

interface Process {
  readonly comm: string;
  readonly cgroup: string | null;
  readonly descriptors: Map<number, Descriptor>;
  /** The file mapped, by number of the mapping. */
  readonly mappings: Map<number, FileId>;
}

interface GroupFile {
  readonly kind: 'group';
  readonly group: string;
  /** A container or an iommufd. */
  container: FileId | null;
  /** The last vfio device left while the file was open. */
  dead: boolean;
}

interface DeviceFile {
  readonly kind: 'device';
  readonly device: string;
  readonly cdev: boolean;
  /** What it keeps alive: the group file it was got from, or the iommufd it is bound to. */
  keeps: FileId | null;
  attached: boolean;
}

type OpenFile = GroupFile | DeviceFile | { readonly kind: 'container' | 'iommufd' | 'other' };

interface Device {
  readonly name: string | null;
  readonly group: string | null;
  driver: string | null;
  /** An unbind that waits for the last file, and the driver to bind then. */
  leaving: { readonly next: string | null } | null;
}

interface Host {
  readonly processes: Map<number, Process>;
  readonly files: Map<FileId, OpenFile>;
  readonly devices: Map<string, Device>;
}

/** A group without `since`, which takes more than one moment to know. */
export type GroupNow = Omit<GroupView, 'since'>;
export type DeviceNow = Omit<DeviceView, 'since'>;
export interface TableNow extends Pick<Table, 'at' | 'files'> {
  readonly groups: readonly GroupNow[];
  readonly devices: readonly DeviceNow[];
}

/** The table after the event at `position`. */
export function bruteForceTable(events: readonly RecordedEvent[], position: number): TableNow {
  const host = replay(events.slice(lastBoot(events, position), position + 1));
  return {
    at: { position, time: events[position]?.time ?? null },
    groups: groupsOf(host).map((group) => groupNow(host, group)),
    devices: [...host.devices.keys()].sort().map((device) => deviceNow(host, device)),
    files: filesWhere(host, ({ kind }) => kind !== 'other').map((file) => view(host, file)),
  };
}

/** Nothing outlives a boot, so that is where a replay may begin. */
function lastBoot(events: readonly RecordedEvent[], position: number): number {
  let at = position;
  while (at > 0 && events[at]?.type !== 'host.booted') at -= 1;
  return at;
}

function replay(events: readonly RecordedEvent[]): Host {
  const host: Host = { processes: new Map(), files: new Map(), devices: new Map() };
  for (const event of events) {
    const effect = effects[event.type] as Effect<EventType>;
    effect(host, event.data, `f${event.position}`);
    settle(host);
  }
  return host;
}

// What each event does. `file` is the id of the file that it opens, if it opens one.

type Effect<T extends EventType> = (host: Host, data: DataOf<T>, file: FileId) => void;

const nothing = () => {};

const effects: { readonly [T in EventType]: Effect<T> } = {
  'host.booted': ({ processes, files, devices }) => {
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

  'process.started': ({ processes }, { pid, comm, cgroup }) => {
    processes.set(pid, { comm, cgroup, descriptors: new Map(), mappings: new Map() });
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
    const keeps = whatObtainedKeeps(host, fileAt(host, pid, fd), device);
    const opened: DeviceFile = { kind: 'device', device, cdev: false, keeps, attached: false };
    open(host, file, opened, { pid, fd: as, cloexec: true });
  },

  'container.set': (host, { pid, fd, container }) => {
    groupFile(host, fileAt(host, pid, fd)).container = fileAt(host, pid, container);
  },
  'container.unset': (host, { pid, fd }) => {
    groupFile(host, fileAt(host, pid, fd)).container = null;
  },
  'device.bound': (host, { pid, fd, iommufd }) => {
    deviceFile(host, fileAt(host, pid, fd)).keeps = fileAt(host, pid, iommufd);
  },
  'device.attached': (host, { pid, fd }) => {
    deviceFile(host, fileAt(host, pid, fd)).attached = true;
  },
  'device.detached': (host, { pid, fd }) => {
    deviceFile(host, fileAt(host, pid, fd)).attached = false;
  },

  'iommu.set': nothing,
  'ioas.allocated': nothing,
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

// What follows by itself.

/** Lets go of what nobody holds, and of what goes with that, until nothing more follows. */
function settle(host: Host): void {
  release(host);
  for (const [id, device] of host.devices) {
    if (device.leaving === null || filesOfDevice(host, id).length > 0) continue;
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
  for (const file of host.files.values()) {
    if (file.kind !== 'group' || membersOf(host, file.group).some(isVfio)) continue;
    file.dead = true;
    const native = file.container !== null && kindOf(host, file.container) === 'container';
    if (native) file.container = null;
  }
  release(host);
}

function mayBind(host: Host, { group }: Device, driver: string): boolean {
  if (!usesDmaApi(driver) || group === null) return true;
  const { kind } = ownerOf(host, group);
  return kind === 'none' || kind === 'kernel';
}

function isVfio({ driver }: Device): boolean {
  return driver !== null && driver.startsWith('vfio-');
}

function usesDmaApi(driver: string | null): boolean {
  return driver !== null && !/^(vfio-.*|pci-stub|pcieport)$/.test(driver);
}

// Who owns, and who keeps the owner alive.

function ownerOf(host: Host, group: string): Pick<Owner, 'kind' | 'file'> & { count: number } {
  const opener = openerOf(host, group);
  const members = [...host.devices].filter(([, device]) => device.group === group);
  const bound = members.map(([id]) => iommufdOf(host, id)).filter((iommufd) => iommufd !== null);
  const kernel = members.filter(([, { driver }]) => usesDmaApi(driver)).length;
  const claims: (Pick<Owner, 'kind' | 'file'> & { count: number })[] = [];
  if (opener !== null && kindOf(host, containerOf(host, opener)) === 'container') {
    claims.push({ kind: 'container', file: opener, count: 1 });
  }
  for (const file of new Set(bound)) claims.push({ kind: 'iommufd', file, count: bound.length });
  if (kernel > 0) claims.push({ kind: 'kernel', file: null, count: kernel });
  const [claim = { kind: 'none', file: null, count: 0 }, ...others] = claims;
  if (others.length > 0) throw new Error(`group ${group} has owners ${JSON.stringify(claims)}`);
  return claim;
}

/** The iommufd that a device is bound to, itself or as obtained through its group. */
function iommufdOf(host: Host, device: string): FileId | null {
  for (const id of filesOfDevice(host, device)) {
    const { keeps } = deviceFile(host, id);
    if (keeps !== null && kindOf(host, keeps) === 'iommufd') return keeps;
  }
  return null;
}

/** The open file of the living group. */
function openerOf(host: Host, group: string): FileId | null {
  const opener = (file: OpenFile) => file.kind === 'group' && file.group === group && !file.dead;
  const [first = null, second] = filesWhere(host, opener);
  if (second !== undefined) throw new Error(`group ${group} is open twice: ${first}, ${second}`);
  return first;
}

/** Descriptors and mappings of a file. */
function held(host: Host, file: FileId): Holder[] {
  const holders: Holder[] = [];
  for (const [pid, { comm, cgroup, descriptors, mappings }] of host.processes) {
    for (const [fd, descriptor] of descriptors) {
      if (descriptor.file === file) holders.push({ pid, comm, cgroup, via: 'fd', fd, file });
    }
    for (const mapped of mappings.values()) {
      if (mapped === file) holders.push({ pid, comm, cgroup, via: 'mapping', fd: null, file });
    }
  }
  return holders.sort(byProcess);
}

/** Descriptors and mappings of a file and of all files that keep it. */
function heldThrough(host: Host, file: FileId): Holder[] {
  const through = keepersOf(host, file).flatMap((keeper) => heldThrough(host, keeper));
  return [...held(host, file), ...through].sort(byProcess);
}

function byProcess(a: Holder, b: Holder): number {
  return (
    (a.pid ?? Infinity) - (b.pid ?? Infinity) ||
    (a.fd === null ? 1 : 0) - (b.fd === null ? 1 : 0) ||
    (a.fd ?? 0) - (b.fd ?? 0)
  );
}

/** The files that a file keeps alive. */
function keptBy(host: Host, id: FileId): FileId[] {
  const file = host.files.get(id);
  if (file?.kind === 'group') return file.container === null ? [] : [file.container];
  if (file?.kind === 'device') return file.keeps === null ? [] : [file.keeps];
  return [];
}

function keepersOf(host: Host, file: FileId): FileId[] {
  return [...host.files.keys()].filter((id) => keptBy(host, id).includes(file));
}

// Answers.

function groupsOf(host: Host): string[] {
  const groups = new Set([...host.devices.values()].map(({ group }) => group));
  groups.delete(null);
  return [...groups].map(String).sort((a, b) => Number(a) - Number(b));
}

function groupNow(host: Host, group: string): GroupNow {
  const { count } = ownerOf(host, group);
  const opener = openerOf(host, group);
  const container = containerOf(host, opener);
  return {
    group,
    owner: ownerView(host, group),
    ownerCount: count,
    viable: container !== null || count === 0,
    opener: opener === null ? null : view(host, opener),
    container: container === null ? null : view(host, container),
  };
}

function deviceNow(host: Host, device: string): DeviceNow {
  const { name, group, driver } = deviceOf(host, device);
  return {
    device,
    name,
    group,
    driver,
    state: stateOf(host, device),
    owner: group === null ? { kind: 'unknown', file: null, holders: [] } : ownerView(host, group),
    files: filesOfDevice(host, device).map((file) => view(host, file)),
  };
}

function stateOf(host: Host, id: string): DeviceView['state'] {
  const device = deviceOf(host, id);
  if (!isVfio(device)) return 'absent';
  if (device.leaving !== null) return 'leaving';
  const files = filesOfDevice(host, id).map((file) => deviceFile(host, file));
  const bound = files.find(({ cdev, keeps }) => cdev && keeps !== null);
  if (bound !== undefined) return bound.attached ? 'attached' : 'bound';
  return files.length > 0 ? 'open' : 'idle';
}

function ownerView(host: Host, group: string): Owner {
  const { kind, file } = ownerOf(host, group);
  return { kind, file, holders: file === null ? [] : heldThrough(host, file) };
}

function view(host: Host, file: FileId): FileView {
  const kind = kindOf(host, file);
  if (kind === null || kind === 'other') throw new Error(`${file} is no file of VFIO or iommufd`);
  const references = keepersOf(host, file).map(
    (keeper) => ({ pid: null, comm: null, cgroup: null, via: 'kernel', fd: null, file: keeper }) as const,
  );
  return { file, kind, holders: [...held(host, file), ...references] };
}

// Looking things up.

function processOf(host: Host, pid: number): Process {
  const process = host.processes.get(pid);
  if (process === undefined) throw new Error(`no process ${pid}`);
  return process;
}

function deviceOf(host: Host, id: string): Device {
  const device = host.devices.get(id);
  if (device === undefined) throw new Error(`no device ${id}`);
  return device;
}

function membersOf(host: Host, group: string): Device[] {
  return [...host.devices.values()].filter((device) => device.group === group);
}

function fileAt(host: Host, pid: number, fd: number): FileId {
  const descriptor = processOf(host, pid).descriptors.get(fd);
  if (descriptor === undefined) throw new Error(`process ${pid} has no descriptor ${fd}`);
  return descriptor.file;
}

function groupFile(host: Host, id: FileId): GroupFile {
  const file = host.files.get(id);
  if (file?.kind !== 'group') throw new Error(`${id} is no group file`);
  return file;
}

function deviceFile(host: Host, id: FileId): DeviceFile {
  const file = host.files.get(id);
  if (file?.kind !== 'device') throw new Error(`${id} is no device file`);
  return file;
}

function kindOf(host: Host, id: FileId | null): OpenFile['kind'] | null {
  return id === null ? null : (host.files.get(id)?.kind ?? null);
}

function containerOf(host: Host, opener: FileId | null): FileId | null {
  return opener === null ? null : groupFile(host, opener).container;
}

/** Oldest first. */
function filesWhere(host: Host, wanted: (file: OpenFile) => boolean): FileId[] {
  return [...host.files].filter(([, file]) => wanted(file)).map(([id]) => id);
}

function filesOfDevice(host: Host, device: string): FileId[] {
  return filesWhere(host, (file) => file.kind === 'device' && file.device === device);
}
