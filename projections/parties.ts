/**
 * Who has to do with a subject at a moment: its owner, its holders, and who waits for it.
 *
 * @module
 */
import type { Holder, Owner } from './shapes.ts';
import type { FileAt, GroupAt, HostAt } from '../machines/host-at.ts';
import type { Subject } from './subjects.ts';
import {
  byNumber,
  byProcess,
  filesOfDevice,
  holdersOf,
  keepers,
  nobody,
  ownerOf,
  ownerOfDevice,
  unknownOwner,
} from './views.ts';

export interface Parties {
  readonly owner: Owner;
  readonly holders: readonly Holder[];
  readonly waiters: readonly Holder[];
}

/**
 * The parties of a subject. A device's owner is its group's, a file's that of the group it belongs
 * to or owns; a process goes by the first owner that it keeps alive.
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
      const group = groupAround(host, file);
      const owner = group === undefined ? nobody : ownerOf(host, group);
      return { owner, holders: keepers(host, [id]), waiters: [] };
    }
    case 'process': {
      const pid = Number(id);
      const files = [...host.files()].filter(({ kind: what }) => what !== 'other');
      const holders = files
        .flatMap((file) => host.holders(file.id))
        .filter((holder) => holder.pid === pid)
        .toSorted(byProcess);
      const held = files.filter(({ id: file }) => holders.some((holder) => holder.file === file));
      const lost = held.some((file) => {
        if (file.kind === 'device' && file.group === null) return file.pins.length === 0;
        return groupAround(host, file)?.isUnknown === true;
      });
      const owners = inOrder(host).map((group) => ownerOf(host, group));
      const kept = owners.find((owner) => owner.holders.some((holder) => holder.pid === pid));
      return { owner: lost ? unknownOwner : (kept ?? nobody), holders, waiters: [] };
    }
  }
}

function heldBy(host: HostAt, files: readonly FileAt[]): Holder[] {
  return files.flatMap((file) => holdersOf(host, file.id)).toSorted(byProcess);
}

/** A group's file that is dead is of no group. */
function groupOfFile({ kind, group, isGone }: FileAt): string | null {
  return kind === 'group' && isGone ? null : group;
}

/** The group that a file is of, or that it owns. */
function groupAround(host: HostAt, file: FileAt): GroupAt | undefined {
  const group = groupOfFile(file);
  return (group === null ? undefined : host.group(group)) ?? ownedBy(host, file);
}

function inOrder(host: HostAt): GroupAt[] {
  return [...host.groups()].toSorted((a, b) => byNumber(a.group, b.group));
}

/** A group that a context owns: an iommufd's, or one in a container. */
function ownedBy(host: HostAt, file: FileAt): GroupAt | undefined {
  for (const group of inOrder(host)) {
    const { owner, opener } = group;
    if (owner === file.id) return group;
    const opened = opener === null ? undefined : host.file(opener);
    if (opened?.container === file.id) return group;
  }
  return undefined;
}

/** Who waits for one of the devices to be let go: the unbind of a driver. */
function waitersFor(host: HostAt, devices: readonly string[]): Holder[] {
  const change = host.driverChange;
  if (change === null || change.isOver || !devices.includes(change.device)) return [];
  const { pid, comm } = change.waiter;
  return [{ pid, comm, cgroup: null, via: 'queue', fd: null, file: null }];
}
