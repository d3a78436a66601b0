/**
 * A host as plain maps, for the brute-force replay, and what can be searched for in them.
 *
 * What the log cannot have meant (an unknown descriptor, two owners of a group) throws.
 *
 * @module
 */
import type { Owner } from '../../ledger.ts';

export type FileId = string;

interface Descriptor {
  readonly file: FileId;
  readonly cloexec: boolean;
}

export interface Process {
  readonly comm: string;
  readonly cgroup: string | null;
  readonly descriptors: Map<number, Descriptor>;
  /** The file mapped, by number of the mapping. */
  readonly mappings: Map<number, FileId>;
}

export interface GroupFile {
  readonly kind: 'group';
  readonly group: string;
  /** A container or an iommufd. */
  container: FileId | null;
  /** The last vfio device left while the file was open. */
  dead: boolean;
}

export interface DeviceFile {
  readonly kind: 'device';
  readonly device: string;
  readonly cdev: boolean;
  /** What it keeps alive: the group file it was got from, or the iommufd it is bound to. */
  keeps: FileId | null;
  attached: boolean;
  /** The PASID, 0 or none, that the last attach without one of its own asked for. */
  asked?: number | null | undefined;
}

export type OpenFile =
  | GroupFile
  | DeviceFile
  | { readonly kind: 'container' | 'iommufd' | 'other' };

export interface Device {
  readonly name: string | null;
  readonly group: string | null;
  driver: string | null;
  /** An unbind that waits for the last file, and the driver to bind then. */
  leaving: { readonly next: string | null } | null;
}

export interface Host {
  /** Whether the kernel is older than 5.19: no DMA owner, and groups that live as long as their files. */
  isOld: boolean;
  readonly processes: Map<number, Process>;
  readonly files: Map<FileId, OpenFile>;
  readonly devices: Map<string, Device>;
}

export function processOf(host: Host, pid: number): Process {
  const process = host.processes.get(pid);
  if (process === undefined) throw new Error(`no process ${pid}`);
  return process;
}

export function deviceOf(host: Host, id: string): Device {
  const device = host.devices.get(id);
  if (device === undefined) throw new Error(`no device ${id}`);
  return device;
}

export function membersOf(host: Host, group: string): Device[] {
  return [...host.devices.values()].filter((device) => device.group === group);
}

export function fileAt(host: Host, pid: number, fd: number): FileId {
  const descriptor = processOf(host, pid).descriptors.get(fd);
  if (descriptor === undefined) throw new Error(`process ${pid} has no descriptor ${fd}`);
  return descriptor.file;
}

export function groupFile(host: Host, id: FileId): GroupFile {
  const file = host.files.get(id);
  if (file?.kind !== 'group') throw new Error(`${id} is no group file`);
  return file;
}

export function deviceFile(host: Host, id: FileId): DeviceFile {
  const file = host.files.get(id);
  if (file?.kind !== 'device') throw new Error(`${id} is no device file`);
  return file;
}

export function kindOf(host: Host, id: FileId | null): OpenFile['kind'] | null {
  return id === null ? null : (host.files.get(id)?.kind ?? null);
}

export function containerOf(host: Host, opener: FileId | null): FileId | null {
  return opener === null ? null : groupFile(host, opener).container;
}

/** Oldest first. */
export function filesWhere(host: Host, wanted: (file: OpenFile) => boolean): FileId[] {
  return [...host.files].filter(([, file]) => wanted(file)).map(([id]) => id);
}

export function filesOfDevice(host: Host, device: string): FileId[] {
  return filesWhere(host, (file) => file.kind === 'device' && file.device === device);
}

/** The files that a file keeps alive. */
export function keptBy(host: Host, id: FileId): FileId[] {
  const file = host.files.get(id);
  if (file?.kind === 'group') return file.container === null ? [] : [file.container];
  if (file?.kind === 'device') return file.keeps === null ? [] : [file.keeps];
  return [];
}

export function keepersOf(host: Host, file: FileId): FileId[] {
  return [...host.files.keys()].filter((id) => keptBy(host, id).includes(file));
}

export function isVfio({ driver }: Device): boolean {
  return driver !== null && driver.startsWith('vfio-');
}

export function usesDmaApi(driver: string | null): boolean {
  return driver !== null && !/^(vfio-.*|pci-stub|pcieport)$/.test(driver);
}

/** Who owns a group, and how many times. */
export interface Claim extends Pick<Owner, 'kind' | 'file'> {
  readonly count: number;
}

export function ownerOf(host: Host, group: string): Claim {
  const opener = openerOf(host, group);
  const members = [...host.devices].filter(([, device]) => device.group === group);
  const bound = members.map(([id]) => iommufdOf(host, id)).filter((iommufd) => iommufd !== null);
  const kernel = host.isOld ? 0 : members.filter(([, { driver }]) => usesDmaApi(driver)).length;
  const claims: Claim[] = [];
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
export function iommufdOf(host: Host, device: string): FileId | null {
  for (const id of filesOfDevice(host, device)) {
    const { keeps } = deviceFile(host, id);
    if (keeps !== null && kindOf(host, keeps) === 'iommufd') return keeps;
  }
  return null;
}

/** The open file of the living group. */
export function openerOf(host: Host, group: string): FileId | null {
  const opener = (file: OpenFile) => file.kind === 'group' && file.group === group && !file.dead;
  const [first = null, second] = filesWhere(host, opener);
  if (second !== undefined) throw new Error(`group ${group} is open twice: ${first}, ${second}`);
  return first;
}
