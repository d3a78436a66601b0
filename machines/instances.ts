/**
 * The live objects of a host: devices, groups and open files, each an instance of its machine.
 *
 * @module
 */
import type { Certainty, DevicePort } from '../events/vocabulary.ts';
import type { FileId } from '../processes/process-table.ts';
import type { MachineName } from './admission.ts';
import type { ContainerRecord, ContainerState } from './container.ts';
import type { DeviceFileState } from './device-file.ts';
import type { DeviceRecord, DeviceState } from './device.ts';
import type { GroupFileRecord, GroupFileState } from './group-file.ts';
import type { GroupRecord, GroupState } from './group.ts';
import type { AddressSpace } from './host-at.ts';
import type { IommufdRecord, IommufdState } from './iommufd.ts';

/** An instance of a machine: its state and its memory. */
export interface Instance<S extends string, R> {
  state: S;
  record: R;
}

/** Called for every event that a machine takes, with the instance before and after it. */
export type Observer = (
  name: MachineName,
  before: Instance<string, object>,
  event: { readonly type: string },
  after: Instance<string, object>,
  /** The file's id, the group's number or the device's address. */
  id: string,
) => void;

/** The type of each machine's instances. */
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
  /** What it sits behind; null if it is not known. */
  port: DevicePort | null;
  driver: string | null;
  /** Name of its node below /dev/vfio/devices. */
  cdev: string | null;
  /** Whether evidence was lost since its last bind, and its group, which would be in doubt, is not known. */
  isInDoubt: boolean;
}

export interface Group extends Instance<GroupState, GroupRecord> {
  readonly group: string;
  readonly devices: Map<string, Device>;
  /** Position since which the owner is unknown, by a contradiction or a gap; otherwise null. */
  unknownSince: number | null;
  /** Whether an owner from before the evidence may still exist. */
  isInDoubt: boolean;
  /** Position of the last gap in which files of the group may have been released unseen; otherwise null. */
  lostAt: number | null;
  /** Certainty of the event that gave the group its owner. */
  certainty: Certainty;
}

/** A group of which no evidence was lost. */
export const withoutDoubt = { unknownSince: null, isInDoubt: false, lostAt: null } as const;

interface FileBase {
  readonly id: FileId;
  /** Files that this one keeps alive inside the kernel. */
  readonly pins: Set<FileId>;
  /** Files that keep this one alive inside the kernel. */
  readonly pinnedBy: Set<FileId>;
  /** Open before the evidence begins: its state is not known until a call that passed sets it. */
  isFound?: boolean;
}

export type GroupFile = FileBase &
  Instance<GroupFileState, GroupFileRecord> & { readonly kind: 'group'; readonly group: Group };
export type DeviceFile = FileBase &
  Instance<DeviceFileState, object> & { readonly kind: 'device'; readonly device: Device };
export type ContainerFile = FileBase &
  Instance<ContainerState, ContainerRecord> & { readonly kind: 'container' };
export type IommufdFile = FileBase &
  Instance<IommufdState, IommufdRecord> & { readonly kind: 'iommufd' };
/** A file that is neither VFIO's nor iommufd's: it matters only as a wrong argument. */
type OtherFile = FileBase & { readonly kind: 'other'; readonly path: string };

export type OpenFile = GroupFile | DeviceFile | ContainerFile | IommufdFile | OtherFile;

/** A driver change whose unbind waits for the device's last file, until its end is recorded. */
export interface DriverChange {
  readonly device: Device;
  readonly next: string | null;
  readonly waiter: { readonly pid: number | null; readonly comm: string | null };
  /** Null while it is blocked; then how the bind to `next` ended, with errno null if it passed. */
  outcome: { readonly errno: string | null; readonly isFatal: boolean } | null;
}

/** The address space of a DMA mapping by a file; without `ioas`, the compat IOAS of an iommufd. */
export function addressSpaceOf(file: OpenFile, ioas: number | null): AddressSpace {
  const compat = file.kind === 'iommufd' ? file.record.compatIoas : null;
  return { file: file.id, ioas: ioas ?? compat };
}

/** A file that no machine models. */
export function otherFile(id: FileId, path: string): OpenFile {
  return { kind: 'other', id, path, pins: new Set(), pinnedBy: new Set() };
}

/** The device node of a group. */
export function groupPath(group: string): string {
  return `/dev/vfio/${group}`;
}

/** What names an instance of a machine: the id of a file, the number of a group, or the address of a device. */
export function idOf(instance: object): string {
  if ('id' in instance) return (instance as OpenFile).id;
  return 'devices' in instance ? (instance as Group).group : (instance as Device).device;
}

/** The group that an instance of a machine belongs to; null if it belongs to none. */
export function groupBehind(instance: object): Group | null {
  if ('devices' in instance) return instance as Group;
  if ('group' in instance) return (instance as { group: Group | null }).group;
  return 'device' in instance ? (instance as { device: Device }).device.group : null;
}
