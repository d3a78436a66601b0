/**
 * `HostAt`: a host at one position, by ids and in plain values. It is the only view of a host
 * outside of the machines. A live host, a restored one and the time index all implement it.
 *
 * @module
 */
import type { Certainty, DevicePort, Fact } from '../events/vocabulary.ts';
import type { FileId, NamedVm, ProcessHolder } from '../processes/process-table.ts';
import type { DeviceState } from './device.ts';
import type { GroupRecord, GroupState } from './group.ts';
import type { OpenFile } from './instances.ts';

/** An IOMMU group. What it has of `GroupRecord` is its machine's (`group.ts`). */
export interface GroupAt extends Pick<GroupRecord, 'opener' | 'owner' | 'claims' | 'unclaimed'> {
  readonly group: string;
  readonly state: GroupState;
  /** Whether the owner is unknown. */
  readonly isUnknown: boolean;
  /** Certainty of the event that gave the group its owner. */
  readonly certainty: Certainty;
}

/** A PCI device; null for what it does not have. */
export interface DeviceAt {
  /** PCI address. */
  readonly device: string;
  readonly name: string | null;
  readonly group: string | null;
  readonly driver: string | null;
  /** Name of its node below /dev/vfio/devices. */
  readonly cdev: string | null;
  readonly state: DeviceState;
  /** Whether its group is not known, and evidence was lost since its last bind: any file may have it. */
  readonly isUnknown: boolean;
}

/** The object that an open file belongs to. */
interface FileSubject {
  readonly kind: OpenFile['kind'];
  /** The group of a group's file, or of the device of a device's file. */
  readonly group: string | null;
  /** PCI address, for a device's file; null where the evidence does not name the device. */
  readonly device: string | null;
}

/** An open file of VFIO or iommufd, or another file that a call may name by mistake. */
export interface FileAt extends FileSubject {
  readonly id: FileId;
  /** Whether the device was unplugged, or the group has lost its last VFIO device. */
  readonly isGone: boolean;
  /** The container of a group's file, or the iommufd that serves as one. */
  readonly container: FileId | null;
  /** Files that this one keeps alive inside the kernel. */
  readonly pins: readonly FileId[];
  /** Files that keep this one alive inside the kernel. */
  readonly pinnedBy: readonly FileId[];
}

/** A process. Its descriptors and mappings name files by id; terminals are left out. */
export interface ProcessAt {
  readonly pid: number;
  readonly comm: string;
  readonly cgroup: string | null;
  readonly vm: NamedVm;
  readonly descriptors: ReadonlyMap<number, { readonly file: FileId }>;
  readonly mapped: readonly FileId[];
}

/** A driver change whose unbind waits for the device's last file, until its end is recorded. */
interface DriverChangeAt {
  readonly device: string;
  readonly waiter: { readonly pid: number | null; readonly comm: string | null };
  /** Whether the change has ended, without a record of its end so far. */
  readonly isOver: boolean;
}

/** A host at one position. What it returns are plain values, which later events do not change. */
export interface HostAt {
  /** False from the start of a log whose first events are missing, until `host.booted`. */
  readonly isKnown: boolean;
  readonly driverChange: DriverChangeAt | null;
  group(group: string): GroupAt | undefined;
  groups(): Iterable<GroupAt>;
  device(device: string): DeviceAt | undefined;
  devices(): Iterable<DeviceAt>;
  file(id: FileId): FileAt | undefined;
  /** In the order of their opening. */
  files(): Iterable<FileAt>;
  process(pid: number): ProcessAt | undefined;
  processes(): Iterable<ProcessAt>;
  /** The file behind a descriptor. */
  fileBehind(pid: number, fd: number): FileId | undefined;
  /** Descriptors and mappings of a file, by process and number. */
  holders(file: FileId): ProcessHolder[];
  /** Whether a descriptor or a mapping holds the file. */
  isHeld(id: FileId): boolean;
}

export interface PlayedGroup extends GroupAt {
  /** Position since which evidence contradicts the rules or has a gap; null if neither is so. */
  readonly unknownSince: number | null;
  /** Number of its devices that have a VFIO driver. */
  readonly members: number;
}

export interface PlayedDevice extends DeviceAt {
  readonly model: string | null;
  readonly port: DevicePort | null;
  /** Number of its open files. */
  readonly files: number;
}

export interface PlayedFile extends FileAt {
  /** For a device's file: whether it was obtained from a group. */
  readonly isGranted: boolean;
  /** The container of a group's file, or the iommufd that a device's file is bound to. */
  readonly context: FileId | null;
  /** For a container: whether it has an IOMMU driver. */
  readonly isReady: boolean;
}

export interface PlayedProcess extends ProcessAt {
  /** Start time in clock ticks since the boot; null if the evidence does not show it. */
  readonly started: string | null;
  readonly descriptors: ReadonlyMap<number, { readonly file: FileId; readonly cloexec: boolean }>;
  /** Files by the address of their mapping. */
  readonly mappings: ReadonlyMap<number, FileId>;
}

export interface PlayedChange extends DriverChangeAt {
  /** The driver that is bound next; null for none. */
  readonly next: string | null;
  /** Whether the kernel dies of binding that driver. */
  readonly isFatal: boolean;
  /** Whether the device was unplugged; another one may have its address by now. */
  readonly isOfGone: boolean;
}

/** A host that was played event by event. It holds more than the time index keeps. */
export interface PlayedHostAt extends HostAt {
  readonly boot: string | null;
  /** Whether the host has /dev/iommu and cdevs. */
  readonly iommufd: boolean;
  readonly driverChange: PlayedChange | null;
  group(group: string): PlayedGroup | undefined;
  groups(): Iterable<PlayedGroup>;
  device(device: string): PlayedDevice | undefined;
  devices(): Iterable<PlayedDevice>;
  file(id: FileId): PlayedFile | undefined;
  files(): Iterable<PlayedFile>;
  process(pid: number): PlayedProcess | undefined;
  processes(): Iterable<PlayedProcess>;
  /** The file mapped at an address. */
  fileMapped(pid: number, address: number): FileId | undefined;
}

/** A host for trials: a supposed fact has its consequences, and is in no log. */
export interface SupposedHost extends PlayedHostAt {
  suppose(fact: Fact, certainty: Certainty): void;
  /** A copy of the current state; facts supposed later do not change it. */
  copy(): PlayedHostAt;
}

/** A DMA address space: an IOAS of an iommufd, or a container (`ioas` is null). */
export interface AddressSpace {
  readonly file: FileId;
  readonly ioas: number | null;
}

/** The DMA mappings of a live host; `iova` and `size` in bytes. */
export interface MappedRanges {
  isFree(space: AddressSpace, range: { readonly iova: number; readonly size: number }): boolean;
}
