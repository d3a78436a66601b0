/**
 * The ownership table: converts a host to the shapes of answers.
 *
 * @module
 */
import { isViable } from '../machines/group.ts';
import type { DeviceAt, FileAt, GroupAt, HostAt } from '../machines/host-at.ts';
import { kindOfDriver } from '../operations/driver.ts';
import {
  positionOf,
  KERNEL_PID,
  type FileId,
  type ProcessHolder,
} from '../processes/process-table.ts';
import { devicesFiles, deviceState } from './device-state.ts';
import type { OwnerAt } from './index/hand-overs.ts';
import type {
  DeviceView,
  FileView,
  GroupView,
  Holder,
  Moment,
  Owner,
  Position,
  Table,
} from './shapes.ts';
import type { Untimed } from './timed.ts';

export const nobody: Owner = { kind: 'none', file: null, holders: [] };
export const unknownOwner: Owner = { ...nobody, kind: 'unknown' };

/** Since when a group has its owner. */
export type Since = (group: string) => Position;

/** A table without the claims of managers, and without times beside its positions. */
export interface KernelTable extends Pick<Table, 'at' | 'files'> {
  readonly groups: readonly Untimed<GroupView>[];
  readonly devices: readonly Untimed<DeviceView>[];
}

export function tableOf(host: HostAt, at: Moment, since: Since): KernelTable {
  const views = new Views(host, since);
  const groups = [...host.groups()].toSorted((a, b) => byNumber(a.group, b.group));
  const devices = [...host.devices()].toSorted((a, b) => (a.device < b.device ? -1 : 1));
  return {
    at,
    groups: groups.map((group) => views.group(group)),
    devices: devices.map((device) => views.device(device)),
    files: [...host.files()].flatMap((file) => views.file(file) ?? []),
  };
}

export function groupView(host: HostAt, group: GroupAt, since: Since): Untimed<GroupView> {
  return new Views(host, since).group(group);
}

export function deviceView(host: HostAt, device: DeviceAt, since: Since): Untimed<DeviceView> {
  return new Views(host, since).device(device);
}

/** Descriptors and mappings of a file. */
type HoldersOf = (file: FileId) => readonly Holder[];

/** Makes the views of one host; what several views show is made once: owners, files, holders. */
class Views {
  readonly #host: HostAt;
  readonly #since: Since;
  readonly #owners = new Map<string, Owner>();
  readonly #files = new Map<FileId, FileView | null>();
  readonly #holders = new Map<FileId, readonly Holder[]>();
  #ofDevices: ReturnType<typeof devicesFiles> | null = null;

  constructor(host: HostAt, since: Since) {
    this.#host = host;
    this.#since = since;
  }

  group(group: GroupAt): Untimed<GroupView> {
    const { opener, claims } = group;
    const opened = opener === null ? undefined : this.#host.file(opener);
    const given = opened?.container ?? null;
    const container = given === null ? undefined : this.#host.file(given);
    return {
      group: group.group,
      owner: this.#owner(group),
      ownerCount: claims,
      since: this.#since(group.group),
      viable: isViable(group, container !== undefined),
      opener: opened === undefined ? null : this.file(opened),
      container: container === undefined ? null : this.file(container),
    };
  }

  device(device: DeviceAt): Untimed<DeviceView> {
    const group = device.group === null ? undefined : this.#host.group(device.group);
    const { of, unnamed } = (this.#ofDevices ??= devicesFiles(this.#host));
    const files = of.get(device.device) ?? [];
    const owner =
      group === undefined ? ownerOfDevice(this.#host, device, files) : this.#owner(group);
    return {
      device: device.device,
      name: device.name,
      group: device.group,
      driver: device.driver,
      state: deviceState(this.#host, device, owner, unnamed),
      owner,
      since: group === undefined ? null : this.#since(group.group),
      files: files.flatMap((file) => this.file(file) ?? []),
    };
  }

  /** Null for a file that is not of VFIO or iommufd. */
  file(file: FileAt): FileView | null {
    const known = this.#files.get(file.id);
    if (known !== undefined) return known;
    const view = fileView(this.#host, file, this.#holdersOf);
    this.#files.set(file.id, view);
    return view;
  }

  #owner(group: GroupAt): Owner {
    let owner = this.#owners.get(group.group);
    if (owner === undefined) {
      owner = ownerOf(this.#host, group, this.#holdersOf);
      this.#owners.set(group.group, owner);
    }
    return owner;
  }

  readonly #holdersOf: HoldersOf = (file) => {
    let holders = this.#holders.get(file);
    if (holders === undefined) {
      holders = holdersOf(this.#host, file);
      this.#holders.set(file, holders);
    }
    return holders;
  };
}

/** The owner of the DMA of a group. */
export function ownerOf(host: HostAt, group: GroupAt, of?: HoldersOf): Owner {
  const owner = ownerWithoutHolders(group);
  const { file } = owner;
  return file === null ? owner : { ...owner, holders: keepers(host, [file], of) };
}

/** As `ownerOf`, with nobody as holder: finding the holders takes most of the time. */
export function ownerWithoutHolders(group: OwnerAt): Owner {
  const { owner, isUnknown, certainty } = group;
  if (isUnknown) return unknownOwner;
  const sure = certainty === 'observed' ? {} : { certainty };
  switch (group.state) {
    case 'unowned':
      return { ...nobody, ...sure };
    case 'kernel':
      return { ...nobody, kind: 'kernel', ...sure };
    case 'container':
    case 'iommufd':
      return { ...nobody, kind: group.state, file: owner, ...sure };
  }
}

/**
 * The owner of a device's group; if the group was never recorded, kernel drivers if one is bound to the
 * device, or the iommufd of the device's files, unless evidence was lost since then.
 */
export function ownerOfDevice(host: HostAt, device: DeviceAt, files: readonly FileAt[]): Owner {
  const owner = bareOwnerOfDevice(host, device, files);
  const { file } = owner;
  return file === null ? owner : { ...owner, holders: keepers(host, [file]) };
}

/** As `ownerOfDevice`, with nobody as holder. */
export function bareOwnerOfDevice(host: HostAt, device: DeviceAt, files: readonly FileAt[]): Owner {
  const group = device.group === null ? undefined : host.group(device.group);
  if (group !== undefined) return ownerWithoutHolders(group);
  const { driver } = device;
  if (device.isUnknown) return unknownOwner;
  if (driver !== null && kindOfDriver(driver) === 'kernel') return { ...nobody, kind: 'kernel' };
  const [context] = files.flatMap(({ pins }) => [...pins]);
  if (context === undefined || host.file(context)?.kind !== 'iommufd') return unknownOwner;
  return { ...nobody, kind: 'iommufd', file: context };
}

/** A file as answers show it; null for a file that is not of VFIO or iommufd. */
export function fileView(
  host: HostAt,
  file: FileAt,
  of: HoldersOf = (id) => holdersOf(host, id),
): FileView | null {
  if (file.kind === 'other') return null;
  const references = sorted(file.pinnedBy, byPosition).map(referenceFrom);
  const held = of(file.id);
  const holders = references.length === 0 ? held : [...held, ...references];
  return { file: file.id, kind: file.kind, holders };
}

/** The reference inside the kernel by which `pin` keeps another file alive. */
export function referenceFrom(pin: FileId): Holder {
  return { pid: null, comm: null, cgroup: null, via: 'kernel', fd: null, file: pin };
}

/**
 * Every descriptor and mapping that keeps one of the files alive, directly or through other files.
 */
export function keepers(
  host: HostAt,
  files: readonly FileId[],
  of: HoldersOf = (id) => holdersOf(host, id),
): Holder[] {
  const found: Holder[] = [];
  for (const id of keepingAlive(host, files)) for (const holder of of(id)) found.push(holder);
  return found.length < 2 ? found : found.sort(byProcess);
}

/** Files, and the files that keep one of them alive, directly or through others. */
export function keepingAlive(host: HostAt, files: readonly FileId[]): Set<FileId> {
  const seen = new Set<FileId>();
  const visit = (id: FileId): void => {
    if (seen.has(id)) return;
    seen.add(id);
    for (const pin of sorted(host.file(id)?.pinnedBy ?? [], byPosition)) visit(pin);
  };
  for (const file of files) visit(file);
  return seen;
}

/** Files, and the files that they keep alive in the kernel, directly or through others. */
export function keptBy(host: HostAt, files: Iterable<FileId>): Set<FileId> {
  const kept = new Set(files);
  // A Set also visits the elements that are added during the loop.
  for (const id of kept) for (const pin of host.file(id)?.pins ?? []) kept.add(pin);
  return kept;
}

/** Descriptors and mappings of a file, as answers show them. */
export function holdersOf(host: HostAt, id: FileId): Holder[] {
  return host.holders(id).map(holderShown);
}

/** A holder as answers show it: null for the kernel, and for what the evidence does not show. */
export function holderShown(holder: ProcessHolder): Holder {
  const { pid, fd } = holder;
  if (pid === KERNEL_PID) return { ...holder, pid: null, comm: null, via: 'queue', fd: null };
  if (pid < KERNEL_PID && (fd === null || fd >= 0)) return holder;
  const unsaid = {
    ...(pid > KERNEL_PID && { pid: null, comm: nameShown(pid, holder.comm) }),
    ...(fd !== null && fd < 0 && { fd: null }),
  };
  return { ...holder, ...unsaid };
}

/** The pid of a process as answers show it: null for one that no line names, and for the kernel. */
export function pidShown(pid: number): number | null {
  return pid < KERNEL_PID ? pid : null;
}

/** The name of a process whose pid no line names; null if no line names the process either. */
function nameShown(pid: number, comm: string): string | null {
  return comm === `pid ${pid}` ? null : comm;
}

/** Open files without a descriptor or mapping. */
export function orphans(host: HostAt): FileView[] {
  return [...host.files()]
    .filter(({ id }) => !host.isHeld(id))
    .flatMap((file) => fileView(host, file) ?? []);
}

/** Compares holders by pid, then by descriptor. */
export function byProcess(a: Holder, b: Holder): number {
  return (a.pid ?? 0) - (b.pid ?? 0) || (a.fd ?? Infinity) - (b.fd ?? Infinity) || 0;
}

/** As `toSorted`, without a copy of what is sorted anyway: most lists here have one element. */
function sorted<T>(list: readonly T[], compare: (a: T, b: T) => number): readonly T[] {
  return list.length < 2 ? list : list.toSorted(compare);
}

/** Compares files by the position of their open. */
function byPosition(a: FileId, b: FileId): number {
  return positionOf(a) - positionOf(b);
}

/** Compares group numbers as numbers. */
export function byNumber(a: string, b: string): number {
  return Number(a) - Number(b) || (a < b ? -1 : 1);
}
