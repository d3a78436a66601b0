/**
 * A host at a moment, by id and in plain values: the one picture of it that there is outside of the
 * machines. A host that goes on, a restored one and the time index all give it.
 *
 * @module
 */
import type { Certainty, Fact } from '../events/vocabulary.ts';
import type { FileId, ProcessHolder } from '../processes/process-table.ts';
import type { DeviceState } from './device.ts';
import type { GroupRecord, GroupState } from './group.ts';
import type { OpenFile } from './host.ts';

export interface GroupAt extends Pick<GroupRecord, 'opener' | 'owner' | 'claims'> {
  readonly group: string;
  readonly state: GroupState;
  /** Whether nobody can say who owns it. */
  readonly isUnknown: boolean;
  /** How sure it is who owns it. */
  readonly certainty: Certainty;
}

export interface DeviceAt {
  /** PCI address. */
  readonly device: string;
  readonly name: string | null;
  readonly group: string | null;
  readonly driver: string | null;
  /** Name of its node below /dev/vfio/devices. */
  readonly cdev: string | null;
  readonly state: DeviceState;
}

/** What an open file is of. */
interface FileSubject {
  readonly kind: OpenFile['kind'];
  /** The group of a group's file, and of the device of a device's. */
  readonly group: string | null;
  /** Of a device's file; null where nobody has said which it is. */
  readonly device: string | null;
}

export interface FileAt extends FileSubject {
  readonly id: FileId;
  /** Whether the device has been unplugged, or the group has lost its last VFIO device. */
  readonly isGone: boolean;
  /** What a group's file was given as its container. */
  readonly container: FileId | null;
  /** Files that this one keeps alive, in the kernel. */
  readonly pins: readonly FileId[];
  /** Files that keep this one alive, in the kernel. */
  readonly pinnedBy: readonly FileId[];
}

/** A descriptor or a mapping goes by the file behind it; the terminal of a process is none. */
export interface ProcessAt {
  readonly pid: number;
  readonly comm: string;
  readonly cgroup: string | null;
  readonly descriptors: ReadonlyMap<number, { readonly file: FileId }>;
  readonly mapped: readonly FileId[];
}

/** A driver change that waits for the last file of its device, until somebody has seen it end. */
interface DriverChangeAt {
  readonly device: string;
  readonly waiter: { readonly pid: number | null; readonly comm: string };
  /** Whether it has gone on, and nobody has seen that yet. */
  readonly isOver: boolean;
}

export interface HostAt {
  /** False where the events before the first are not at hand, until the host boots. */
  readonly isKnown: boolean;
  readonly driverChange: DriverChangeAt | null;
  group(group: string): GroupAt | undefined;
  groups(): Iterable<GroupAt>;
  device(device: string): DeviceAt | undefined;
  devices(): Iterable<DeviceAt>;
  file(id: FileId): FileAt | undefined;
  /** In the order in which they were opened. */
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
  /** Since when evidence contradicts the rules, or has a gap; null where neither is so. */
  readonly unknownSince: number | null;
  /** How many of its devices have VFIO's drivers. */
  readonly members: number;
}

export interface PlayedDevice extends DeviceAt {
  readonly model: string | null;
  /** How many of its files are open. */
  readonly files: number;
}

export interface PlayedFile extends FileAt {
  /** Of a device's file: whether it was got from a group. */
  readonly isGranted: boolean;
  /** The container of a group's file, the iommufd that a device's is bound to. */
  readonly context: FileId | null;
  /** Of a container: whether it has an IOMMU driver. */
  readonly isReady: boolean;
}

export interface PlayedProcess extends ProcessAt {
  /** When it started, in ticks since the boot; null where nobody has said. */
  readonly started: string | null;
  readonly descriptors: ReadonlyMap<number, { readonly file: FileId; readonly cloexec: boolean }>;
  /** Files by the addresses where they are mapped. */
  readonly mappings: ReadonlyMap<number, FileId>;
}

export interface PlayedChange extends DriverChangeAt {
  /** The driver that it goes on to; null for none. */
  readonly next: string | null;
  /** Whether the device has been unplugged, and another may be there under its address. */
  readonly isOfGone: boolean;
}

/** What a host that was played tells beyond that: the time index does not keep it. */
export interface PlayedHostAt extends HostAt {
  readonly boot: string | null;
  /** Whether there are /dev/iommu and cdevs. */
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
  /** The file that is mapped at an address. */
  fileMapped(pid: number, address: number): FileId | undefined;
}

/** A host on trial: what it is told has its consequences, and reaches no log. */
export interface SupposedHost extends PlayedHostAt {
  suppose(fact: Fact, certainty: Certainty): void;
  /** The host as it stands, whatever is supposed from here on. */
  copy(): PlayedHostAt;
}

/** The address space that a mapping of a file goes to: an IOAS of an iommufd, or a container's. */
export interface AddressSpace {
  readonly file: FileId;
  readonly ioas: number | null;
}

/** What is mapped for DMA on a live host. */
export interface MappedRanges {
  isFree(space: AddressSpace, range: { readonly iova: number; readonly size: number }): boolean;
}
