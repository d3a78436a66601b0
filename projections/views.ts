/**
 * The ownership table: what the machines say, as answers show it.
 *
 * @module
 */
import { isViable } from '../machines/group.ts';
import type { FileId } from '../processes/process-table.ts';
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
import type { DeviceAt, FileAt, GroupAt, HostSnapshot } from './snapshot.ts';

export const nobody: Owner = { kind: 'none', file: null, holders: [] };
export const unknownOwner: Owner = { ...nobody, kind: 'unknown' };

/** Since when a group has the owner that it has. */
export type Since = (group: string) => Position;

export function tableOf(host: HostSnapshot, at: Moment, since: Since): Table {
  const groups = [...host.groups()].toSorted((a, b) => byNumber(a.group, b.group));
  const devices = [...host.devices()].toSorted((a, b) => (a.device < b.device ? -1 : 1));
  return {
    at,
    groups: groups.map((group) => groupView(host, group, since)),
    devices: devices.map((device) => deviceView(host, device, since)),
    files: [...host.files()].flatMap((file) => fileView(host, file) ?? []),
  };
}

export function groupView(host: HostSnapshot, group: GroupAt, since: Since): GroupView {
  const { opener, claims } = group.record;
  const opened = opener === null ? undefined : host.file(opener);
  const given = opened?.kind === 'group' ? opened.record.container : null;
  const container = given === null ? undefined : host.file(given);
  return {
    group: group.group,
    owner: ownerOf(host, group),
    ownerCount: claims,
    since: since(group.group),
    viable: isViable(group.record, container !== undefined),
    opener: opened === undefined ? null : fileView(host, opened),
    container: container === undefined ? null : fileView(host, container),
  };
}

export function deviceView(host: HostSnapshot, device: DeviceAt, since: Since): DeviceView {
  const { group } = device;
  const unknown = group !== null && group.unknownSince !== null;
  return {
    device: device.device,
    name: device.name,
    group: group?.group ?? null,
    driver: device.driver,
    state: unknown ? 'unknown' : device.state,
    owner: group === null ? unknownOwner : ownerOf(host, group),
    since: group === null ? null : since(group.group),
    files: filesOfDevice(host, device).flatMap((file) => fileView(host, file) ?? []),
  };
}

export function filesOfDevice(host: HostSnapshot, device: DeviceAt): FileAt[] {
  return [...host.files()].filter((file) => file.kind === 'device' && file.device === device);
}

/** Who owns the DMA of the group. */
export function ownerOf(host: HostSnapshot, group: GroupAt): Owner {
  if (group.unknownSince !== null) return unknownOwner;
  const { owner } = group.record;
  // A context that was never seen to be opened has no name.
  const file = owner === 'f?' ? null : owner;
  switch (group.state) {
    case 'unowned':
      return nobody;
    case 'kernel':
      return { ...nobody, kind: 'kernel' };
    case 'container':
    case 'iommufd':
      return { kind: group.state, file, holders: file === null ? [] : keepers(host, [file]) };
  }
}

/** A file as answers show it; null for files that are none of VFIO's. */
export function fileView(host: HostSnapshot, file: FileAt): FileView | null {
  if (file.kind === 'other') return null;
  const references = [...file.pinnedBy].toSorted(byPosition).map((pin): Holder => ({
    pid: null,
    comm: null,
    cgroup: null,
    via: 'kernel',
    fd: null,
    file: pin,
  }));
  const holders = [...host.processes.holders(file.id), ...references];
  return { file: file.id, kind: file.kind, holders };
}

/** Every descriptor and mapping that keeps one of the files alive, also through other files. */
export function keepers(host: HostSnapshot, files: readonly FileId[]): Holder[] {
  const seen = new Set<FileId>();
  const visit = (id: FileId): void => {
    if (seen.has(id)) return;
    seen.add(id);
    for (const pin of [...(host.file(id)?.pinnedBy ?? [])].toSorted(byPosition)) visit(pin);
  };
  for (const file of files) visit(file);
  return [...seen].flatMap((id) => host.processes.holders(id)).toSorted(byProcess);
}

/** Files that are alive although no descriptor and no mapping is left of them. */
export function orphans(host: HostSnapshot): FileView[] {
  return [...host.files()]
    .filter(({ id }) => !host.isHeld(id))
    .flatMap((file) => fileView(host, file) ?? []);
}

export function byProcess(a: Holder, b: Holder): number {
  return (a.pid ?? 0) - (b.pid ?? 0) || (a.fd ?? Infinity) - (b.fd ?? Infinity) || 0;
}

/** Files in the order in which they were opened. */
function byPosition(a: FileId, b: FileId): number {
  return Number(a.slice(1)) - Number(b.slice(1));
}

/** Group numbers in their order as numbers. */
export function byNumber(a: string, b: string): number {
  return Number(a) - Number(b) || (a < b ? -1 : 1);
}
