/**
 * A check: one named condition that an operation puts to one machine, and what its failure means.
 *
 * @module
 */
import type { Call } from '../events/vocabulary.ts';
import type { FileId } from '../processes/process-table.ts';
import type { MachineName } from './admission.ts';
import type { Cause } from './causes.ts';
import type { DeviceEvent } from './device.ts';
import type { DeviceFileEvent } from './device-file.ts';
import type { ContainerEvent } from './container.ts';
import type { GroupEvent } from './group.ts';
import type { GroupFileEvent } from './group-file.ts';
import type {
  ContainerFile,
  Device,
  DeviceFile,
  DriverChange,
  Group,
  GroupFile,
  IommufdFile,
  OpenFile,
} from './host.ts';
import type { IommufdEvent } from './iommufd.ts';
import type { Profile } from './profile.ts';

/** What an event is to each machine that it concerns. */
export interface MachineEvents {
  device?: DeviceEvent;
  group?: GroupEvent;
  deviceFile?: DeviceFileEvent;
  groupFile?: GroupFileEvent;
  container?: ContainerEvent;
  iommufd?: IommufdEvent;
}

/** The parts of a host that a question may look at. */
export interface HostView {
  readonly profile: Profile;
  readonly iommufd: boolean;
  readonly driverChange: DriverChange | null;
  file(id: FileId): OpenFile | undefined;
  files(): Iterable<OpenFile>;
  hasProcessNamed(comm: string): boolean;
  knowsDriver(driver: string): boolean;
  /** Whether a range of addresses is unmapped, in an IOAS or a container. Known to a live host only. */
  isFree(file: OpenFile, ioas: number | null, range: { iova: number; size: number }): boolean;
  /** Whether a descriptor or a mapping of some process holds the file. */
  isHeld(id: FileId): boolean;
  /** Whether a process has a descriptor of a file of that kind. */
  hasOpen(pid: number, kind: OpenFile['kind']): boolean;
}

/** A call with everything that it concerns looked up, before it is judged. */
export interface Question<C extends Call = Call> {
  readonly call: C;
  readonly host: HostView;
  /** The file behind the descriptor that was operated on. */
  readonly file?: OpenFile | undefined;
  /** The file behind the descriptor given as an argument. */
  readonly argument?: OpenFile | undefined;
  /** The files behind the descriptors given as proof of a hot reset. */
  readonly givenGroups?: readonly (OpenFile | undefined)[];
  readonly device?: Device | undefined;
  readonly group?: Group | undefined;
  readonly deviceFile?: DeviceFile | undefined;
  readonly groupFile?: GroupFile | undefined;
  readonly container?: ContainerFile | undefined;
  readonly iommufd?: IommufdFile | undefined;
  readonly events: MachineEvents;
}

/** Who stands in the way: a file and what it is, or a driver. */
export interface Blocker {
  readonly kind: 'group' | 'device' | 'container' | 'iommufd' | 'driver' | 'unknown';
  readonly file: FileId | null;
  readonly driver: string | null;
}

interface Failure {
  /** What must hold, in a few words; it is the name of the check. */
  readonly name: string;
  readonly errno: string;
  readonly cause: Cause;
  /** Where the kernel checks it, as `file:function` below drivers/ where no other folder is named. */
  readonly source: string;
  /** The first profile that checks it, and the first that no longer does; all when left out. */
  readonly since?: Profile;
  readonly until?: Profile;
  readonly blocker?: (question: Question) => Blocker | null;
}

/**
 * A check put to a machine: fails in the states `in` (any state when left out) unless the guard of
 * that name holds. The guard is then a guard of the machine's transition too.
 */
export interface MachineCheck extends Failure {
  readonly asks: MachineName;
  readonly in?: readonly string[];
  readonly guard?: string;
}

/** A check of the arguments, of the descriptors or of the host, which no machine knows about. */
export interface PlainCheck extends Failure {
  readonly asks: 'call' | 'descriptor' | 'host';
  readonly holds: (question: Question) => boolean;
  /** True where the log does not hold what decides: on replay the errno as observed stands. */
  readonly unseen?: boolean;
  /** True where the same event has another way to it that the check does not stand on. */
  readonly avoidable?: boolean;
}

export type Check = MachineCheck | PlainCheck;

/** An operation: the checks in the order of the kernel, and the event that its success records. */
export interface OperationRules {
  /** The first profile that has the operation at all; every one has when left out. */
  readonly since?: Profile;
  /** The event that machines take when all checks hold; null when nothing changes hands. */
  readonly records: string | null;
  readonly checks: readonly Check[];
}
