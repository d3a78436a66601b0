/**
 * The parties of a subject at a moment: its owner, its holders, and the process that waits for it.
 *
 * @module
 */
import type { Holder, Owner } from './shapes.ts';
import type { DeviceAt, FileAt, GroupAt, HostAt } from '../machines/host-at.ts';
import { positionOf, type FileId } from '../processes/process-table.ts';
import type { HostPart } from './index/segment.ts';
import { filesOfDevice } from './device-state.ts';
import { keyOf, type Subject, type SubjectKey } from './subjects.ts';
import {
  byNumber,
  byProcess,
  holderShown,
  holdersOf,
  keepers,
  keptBy,
  nobody,
  ownerOf,
  ownerOfDevice,
  ownerWithoutHolders,
  pidShown,
  unknownOwner,
} from './views.ts';

export interface Parties {
  readonly owner: Owner;
  readonly holders: readonly Holder[];
  readonly waiters: readonly Holder[];
}

/**
 * The parties of a subject. The owner of a device is that of its group. The owner of a file is that
 * of the group which it belongs to or owns. The owner of a process is the first one, by group
 * number, that it keeps alive. A missing subject has no parties.
 */
export function partiesOf(host: HostAt, { kind, id }: Subject): Parties {
  if (!host.isKnown) return { owner: unknownOwner, holders: [], waiters: [] };
  switch (kind) {
    case 'device': {
      const device = host.device(id);
      if (device === undefined) return { owner: nobody, holders: [], waiters: [] };
      const files = filesOfDevice(host, device);
      const owner = ownerOfDevice(host, device, files);
      return { owner, holders: heldBy(host, files), waiters: waitersFor(host, [id]) };
    }
    case 'group': {
      const group = host.group(id);
      if (group === undefined) return { owner: nobody, holders: [], waiters: [] };
      const files = [...host.files()].filter((file) => groupOfFile(file) === id);
      const members = [...host.devices()].filter((device) => device.group === id);
      const waiters = waitersFor(
        host,
        members.map(({ device }) => device),
      );
      return { owner: ownerOf(host, group), holders: heldBy(host, files), waiters };
    }
    case 'file': {
      const file = host.file(id);
      if (file === undefined) return { owner: nobody, holders: [], waiters: [] };
      const owner = ownerAround(host, file) ?? nobody;
      return { owner, holders: keepers(host, [id]), waiters: [] };
    }
    case 'process': {
      const pid = Number(id);
      const held = filesHeldBy(host, pid);
      const holders = held
        .flatMap((file) => host.holders(file.id))
        .filter((holder) => holder.pid === pid)
        .map(holderShown)
        .toSorted(byProcess);
      const around = held.flatMap((file) => ownerAround(host, file) ?? []);
      const lost = around.some(({ kind }) => kind === 'unknown');
      const group = pidShown(pid) === null ? undefined : firstKeptBy(host, held);
      const kept =
        group === undefined
          ? around.find((owner) => owner.holders.some((holder) => holder.pid === pid))
          : ownerOf(host, group);
      return { owner: lost ? unknownOwner : (kept ?? nobody), holders, waiters: [] };
    }
  }
}

/**
 * The part of a host on which the owner of a subject depends at a moment. Until it changes, the owner
 * stays the same.
 */
export function partOf(host: HostAt, subject: Subject): HostPart {
  const { kind, id } = subject;
  const subjects = [keyOf(subject)];
  switch (kind) {
    case 'group':
      return { files: [], groups: [id] };
    case 'device': {
      const device = host.device(id);
      const group = device?.group ?? null;
      if (group !== null) return { files: [], groups: [group], subjects };
      const files = device === undefined ? [] : filesOfDevice(host, device);
      return { files: files.map((file) => file.id), subjects };
    }
    case 'file':
      return { files: [id], groups: groupsAround(host, [id]), subjects: ungrouped(host, [id]) };
    case 'process': {
      const { descriptors, mapped = [] } = host.process(Number(id)) ?? {};
      const held = [...(descriptors?.values() ?? [])].map(({ file }) => file);
      const files = new Set([...held, ...mapped]);
      // A Set also visits the elements that are added during the loop.
      for (const file of files) for (const pin of host.file(file)?.pins ?? []) files.add(pin);
      const groups = groupsAround(host, [...files]);
      return { files: [...files], groups, subjects: [...subjects, ...ungrouped(host, files)] };
    }
  }
}

/** The open files of VFIO and iommufd that a process holds, in the order of their opens. */
function filesHeldBy(host: HostAt, pid: number): FileAt[] {
  const { descriptors, mapped = [] } = host.process(pid) ?? {};
  const open = [...(descriptors?.values() ?? [])].map(({ file }) => file);
  return [...new Set([...open, ...mapped])]
    .flatMap((file) => host.file(file) ?? [])
    .filter(({ kind }) => kind !== 'other')
    .toSorted((a, b) => positionOf(a.id) - positionOf(b.id));
}

/** The first group, by number, whose owner some files keep alive. */
function firstKeptBy(host: HostAt, held: readonly FileAt[]): GroupAt | undefined {
  const kept = keptBy(
    host,
    held.map(({ id }) => id),
  );
  return inOrder(host).find((group) => kept.has(ownerWithoutHolders(group).file ?? ''));
}

/** The groups of files, and those that they own or are the container of. */
function groupsAround(host: HostAt, files: readonly FileId[]): string[] {
  const groups = new Set(files.flatMap((file) => host.file(file)?.group ?? []));
  for (const { group, owner, opener } of host.groups()) {
    const container = opener === null ? null : (host.file(opener)?.container ?? null);
    if ([owner, container].some((file) => file !== null && files.includes(file))) {
      groups.add(group);
    }
  }
  return [...groups];
}

function heldBy(host: HostAt, files: readonly FileAt[]): Holder[] {
  return files.flatMap((file) => holdersOf(host, file.id)).toSorted(byProcess);
}

/** The group of a file; null for a dead file of a group. */
export function groupOfFile({ kind, group, isGone }: FileAt): string | null {
  return kind === 'group' && isGone ? null : group;
}

/** The keys of the devices behind files whose group is not known. */
function ungrouped(host: HostAt, files: Iterable<FileId>): SubjectKey[] {
  return [...files].flatMap((id) => {
    const file = host.file(id);
    const device = file === undefined ? undefined : ungroupedAround(host, file);
    return device === undefined ? [] : [keyOf({ kind: 'device', id: device.device })];
  });
}

/** The owner of the group around a file, or of its device if the group is not known. */
function ownerAround(host: HostAt, file: FileAt): Owner | undefined {
  const group = groupAround(host, file);
  if (group !== undefined) return ownerOf(host, group);
  const device = ungroupedAround(host, file);
  return device && ownerOfDevice(host, device, filesOfDevice(host, device));
}

/** The device of a file whose group is not known; else the first such device that is bound to the file. */
function ungroupedAround(host: HostAt, file: FileAt): DeviceAt | undefined {
  const files = [file, ...file.pinnedBy.flatMap((id) => host.file(id) ?? [])];
  for (const { device, group, isGone } of files) {
    if (device !== null && group === null && !isGone) return host.device(device);
  }
  return undefined;
}

/** The group of a file; else the first group that the file owns. */
function groupAround(host: HostAt, file: FileAt): GroupAt | undefined {
  const group = groupOfFile(file);
  return (group === null ? undefined : host.group(group)) ?? ownedBy(host, file);
}

function inOrder(host: HostAt): GroupAt[] {
  return [...host.groups()].toSorted((a, b) => byNumber(a.group, b.group));
}

/** The first group that an iommufd owns, or that is in a container. */
function ownedBy(host: HostAt, file: FileAt): GroupAt | undefined {
  for (const group of inOrder(host)) {
    const { owner, opener } = group;
    if (owner === file.id) return group;
    const opened = opener === null ? undefined : host.file(opener);
    if (opened?.container === file.id) return group;
  }
  return undefined;
}

/** The process whose driver unbind waits until one of the devices is released. */
function waitersFor(host: HostAt, devices: readonly string[]): Holder[] {
  const change = host.driverChange;
  if (change === null || change.isOver || !devices.includes(change.device)) return [];
  const { pid, comm } = change.waiter;
  return [{ pid, comm, cgroup: null, via: 'queue', fd: null, file: null }];
}
