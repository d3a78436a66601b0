/**
 * What stands on a host: devices, groups and open files, each with the state of its machine.
 *
 * @module
 */
import type { Certainty } from '../events/vocabulary.ts';
import type { FileId } from '../processes/process-table.ts';
import type { ContainerRecord, ContainerState } from './container.ts';
import type { DeviceFileState } from './device-file.ts';
import type { DeviceRecord, DeviceState } from './device.ts';
import type { GroupFileRecord, GroupFileState } from './group-file.ts';
import type { GroupRecord, GroupState } from './group.ts';
import type { AddressSpace } from './host-at.ts';
import type { IommufdRecord, IommufdState } from './iommufd.ts';

/** A machine as it stands: its state and what it remembers. */
export interface Instance<S extends string, R> {
  state: S;
  record: R;
}

/** How each machine stands. */
export interface Instances {
  device: Instance<DeviceState, DeviceRecord>;
  group: Instance<GroupState, GroupRecord>;
  deviceFile: Instance<DeviceFileState, object>;
  groupFile: Instance<GroupFileState, GroupFileRecord>;
  container: Instance<ContainerState, ContainerRecord>;
  iommufd: Instance<IommufdState, IommufdRecord>;
}

export interface Device extends Instance<DeviceState, DeviceRecord> {
  /** PCI address. */
  readonly device: string;
  name: string | null;
  readonly group: Group | null;
  model: string | null;
  driver: string | null;
  /** Name of its node below /dev/vfio/devices. */
  cdev: string | null;
}

export interface Group extends Instance<GroupState, GroupRecord> {
  readonly group: string;
  readonly devices: Map<string, Device>;
  /** Since when the owner is unknown: evidence contradicts the rules, or has a gap. */
  unknownSince: number | null;
  /** Whether somebody may own it who was there before the evidence. */
  isInDoubt: boolean;
  /** How sure it is who owns it. */
  certainty: Certainty;
}

interface FileBase {
  readonly id: FileId;
  /** Files that this one keeps alive, in the kernel. */
  readonly pins: Set<FileId>;
  /** Files that keep this one alive, in the kernel. */
  readonly pinnedBy: Set<FileId>;
}

export type GroupFile = FileBase &
  Instance<GroupFileState, GroupFileRecord> & { readonly kind: 'group'; readonly group: Group };
export type DeviceFile = FileBase &
  Instance<DeviceFileState, object> & { readonly kind: 'device'; readonly device: Device };
export type ContainerFile = FileBase &
  Instance<ContainerState, ContainerRecord> & { readonly kind: 'container' };
export type IommufdFile = FileBase &
  Instance<IommufdState, IommufdRecord> & { readonly kind: 'iommufd' };
/** A file that is none of VFIO's: it matters only as a wrong argument. */
type OtherFile = FileBase & { readonly kind: 'other'; readonly path: string };

export type OpenFile = GroupFile | DeviceFile | ContainerFile | IommufdFile | OtherFile;

/** A driver change that waits for the last file of its device, until somebody has seen it end. */
export interface DriverChange {
  readonly device: Device;
  readonly next: string | null;
  readonly waiter: { readonly pid: number | null; readonly comm: string };
  /** Null while it is blocked; then how the bind to `next` went. */
  outcome: { readonly errno: string | null } | null;
}

/** Where a mapping of a file goes; an iommufd that is used as a container has an IOAS for it. */
export function addressSpaceOf(file: OpenFile, ioas: number | null): AddressSpace {
  const compat = file.kind === 'iommufd' ? file.record.compatIoas : null;
  return { file: file.id, ioas: ioas ?? compat };
}

/** A file that none of the machines knows about. */
export function otherFile(id: FileId, path: string): OpenFile {
  return { kind: 'other', id, path, pins: new Set(), pinnedBy: new Set() };
}

/** The node of a group. */
export function groupPath(group: string): string {
  return `/dev/vfio/${group}`;
}

/** The group that a machine belongs to, where it belongs to one. */
export function groupBehind(instance: object): Group | null {
  if ('devices' in instance) return instance as Group;
  if ('group' in instance) return (instance as { group: Group | null }).group;
  return 'device' in instance ? (instance as { device: Device }).device.group : null;
}
