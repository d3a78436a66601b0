/**
 * A check: one condition of an operation, put to a machine, the call or the host, with the errno
 * and cause of its failure.
 *
 * @module
 */
import type { Attempt, Call, CallOf, Operation } from '../events/vocabulary.ts';
import type { FileId } from '../processes/process-table.ts';
import type { MachineName } from './admission.ts';
import type { Cause } from './causes.ts';
import type { Directory, Given } from './concerns.ts';
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
} from './instances.ts';
import type { IommufdEvent } from './iommufd.ts';
import type { Profile } from './profile.ts';

/** The event that each machine takes, by machine; absent where the machine is not concerned. */
export interface MachineEvents {
  device?: DeviceEvent;
  group?: GroupEvent;
  deviceFile?: DeviceFileEvent;
  groupFile?: GroupFileEvent;
  container?: ContainerEvent;
  iommufd?: IommufdEvent;
}

/** The parts of a host that checks may read. */
export interface HostView {
  readonly profile: Profile;
  readonly iommufd: boolean;
  readonly driverChange: DriverChange | null;
  file(id: FileId): OpenFile | undefined;
  files(): Iterable<OpenFile>;
  hasProcessNamed(comm: string): boolean;
  knowsDriver(driver: string): boolean;
  /**
   * Whether nothing is mapped for DMA in a range of an IOAS or a container; `iova` and `size` in
   * bytes. Only a live host knows its mappings: on replay every range is free.
   */
  isFree(file: OpenFile, ioas: number | null, range: { iova: number; size: number }): boolean;
  /** Whether a descriptor or a mapping of any process holds the file. */
  isHeld(id: FileId): boolean;
  /** Whether a process has a descriptor of a file of that kind. */
  hasOpen(pid: number, kind: OpenFile['kind']): boolean;
  /** The files that a process has descriptors of, each once. */
  filesOf(pid: number): OpenFile[];
}

/** A call with the objects of the host that it concerns: the input of the checks. */
export interface Question<C extends Call = Call> {
  readonly call: C;
  readonly host: HostView;
  /** The file behind the descriptor that the call operates on. */
  readonly file?: OpenFile | undefined;
  /** The file behind the descriptor given as an argument. */
  readonly argument?: OpenFile | undefined;
  /** The files behind the descriptors that prove ownership for a hot reset. */
  readonly givenGroups?: readonly (OpenFile | undefined)[];
  readonly device?: Device | undefined;
  readonly group?: Group | undefined;
  readonly deviceFile?: DeviceFile | undefined;
  readonly groupFile?: GroupFile | undefined;
  readonly container?: ContainerFile | undefined;
  readonly iommufd?: IommufdFile | undefined;
  readonly events: MachineEvents;
  /** The id that the call returns, if no event carries it. */
  readonly found?: number;
  /** True if the owner of the group is unknown after the call has passed. */
  readonly leavesDoubt?: boolean;
}

/** What blocks a refused attempt: an open file and its kind, or a driver. */
export interface Blocker {
  readonly kind: 'group' | 'device' | 'container' | 'iommufd' | 'driver' | 'unknown';
  readonly file: FileId | null;
  readonly driver: string | null;
}

interface BaseCheck {
  /** What must hold, in a few words: the name of the check. */
  readonly name: string;
  readonly errno: string;
  readonly cause: Cause;
  /** Where the kernel checks it, as `file:function`; below drivers/ if no other folder is named. */
  readonly source: string;
  /** The first profile with the check, and the first without it again. Absent: all profiles. */
  readonly since?: Profile;
  readonly until?: Profile;
  readonly blocker?: (question: Question) => Blocker | null;
}

/**
 * A check put to a machine. It fails in the states `in` (absent: in any state) unless the guard
 * named `guard` holds. That guard also guards the machine's transition (`admission.ts`).
 */
export interface MachineCheck extends BaseCheck {
  readonly asks: MachineName;
  readonly in?: readonly string[];
  readonly guard?: string;
}

/** A check of the arguments, the descriptors or the host; no machine is asked. */
export interface PlainCheck<C extends Call = Call> extends BaseCheck {
  readonly asks: 'call' | 'descriptor' | 'host';
  /** Declared as a method, so that checks of one call fit into a list of checks of any call. */
  holds(this: void, question: Question<C>): boolean;
  /** True if the log does not hold what decides the check: replay accepts the errno as observed. */
  readonly unseen?: boolean;
  /** Of an `unseen` check: whether it explains that errno. Absent: it does on every host. */
  readonly explains?: (question: Question) => boolean;
  /**
   * True if the same event can also happen on a path without this check, as with an open through
   * /proc/self/fd, or after what the log does not hold, as an unmap. Such an event in a log is then
   * no contradiction.
   */
  readonly avoidable?: boolean;
}

/**
 * A bug of a kernel, as a check that is made last: a call that fails it is never answered, as the
 * kernel dies of it.
 */
export type FatalCheck = Pick<
  MachineCheck,
  'name' | 'asks' | 'in' | 'guard' | 'source' | 'since' | 'until'
>;

export type Check<C extends Call = Call> = MachineCheck | PlainCheck<C>;

/** The input of `hypotheses`: an attempt of which the evidence does not show every argument. */
export interface Unshown<O extends Operation> {
  readonly attempt: Extract<Attempt, { operation: O }>;
  /** The attempt as a call, with placeholders (`unshown.ts`) for what is not shown. */
  readonly call: CallOf<O>;
  /** The question that `call` puts. */
  readonly own: Question;
  readonly host: Directory;
  readonly ask: (call: CallOf<O>, given?: Given) => Question;
}

/** An attempt, and one question that it may have put. */
interface Hypothesis<O extends Operation> {
  readonly attempt: Extract<Attempt, { operation: O }>;
  readonly question: Question;
}

/** The rules of an operation: what a call concerns, and its checks in the kernel's order. */
export interface OperationRules<O extends Operation = Operation> {
  /** The first profile that has the operation. Absent: all profiles. */
  readonly since?: Profile;
  /** Looks up what a call concerns, and the event that each machine takes if the call passes. */
  readonly concerns: (base: Question<CallOf<O>>, host: Directory, given: Given) => Question;
  readonly checks: readonly Check<CallOf<O>>[];
  /** What the kernel dies of. Absent: nothing. */
  readonly fatal?: readonly FatalCheck[];
  /** Placeholders for arguments that the evidence does not show, by name; `UNSHOWN` for others. */
  readonly unshown: Readonly<Record<string, unknown>>;
  /**
   * The questions that an attempt may have put, one for each kind of argument that it may have had;
   * null if there is only one.
   */
  readonly hypotheses: ((attempt: Unshown<O>) => Question[]) | null;
  /** Whether the evidence shows too little of an attempt to judge it; null: never. */
  readonly isBeyondJudging: ((asked: Hypothesis<O>) => boolean) | null;
}

/** The rules of several operations, each typed by its own call. */
export type OperationTable<O extends Operation> = { readonly [K in O]: OperationRules<K> };
