/**
 * A check: one named condition that an operation puts to one machine, and what its failure means.
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
  /** The files that a process has a descriptor of, each once. */
  filesOf(pid: number): OpenFile[];
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
  /** The id that the call comes back with, where that is no event's. */
  readonly found?: number;
  /** Whether nobody can say who owns the group once it has passed. */
  readonly leavesDoubt?: boolean;
}

/** Who stands in the way: a file and what it is, or a driver. */
export interface Blocker {
  readonly kind: 'group' | 'device' | 'container' | 'iommufd' | 'driver' | 'unknown';
  readonly file: FileId | null;
  readonly driver: string | null;
}

interface BaseCheck {
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
export interface MachineCheck extends BaseCheck {
  readonly asks: MachineName;
  readonly in?: readonly string[];
  readonly guard?: string;
}

/** A check of the arguments, of the descriptors or of the host, which no machine knows about. */
export interface PlainCheck<C extends Call = Call> extends BaseCheck {
  readonly asks: 'call' | 'descriptor' | 'host';
  /** A method, so that the check of one call stands among the checks of any. */
  holds(this: void, question: Question<C>): boolean;
  /** True where the log does not hold what decides: on replay the errno as observed stands. */
  readonly unseen?: boolean;
  /** True where the same event has another way to it that the check does not stand on. */
  readonly avoidable?: boolean;
}

export type Check<C extends Call = Call> = MachineCheck | PlainCheck<C>;

/** What a hypothesis is made of: an attempt, what stands for it as a call, and how others are asked. */
export interface Unshown<O extends Operation> {
  readonly attempt: Extract<Attempt, { operation: O }>;
  /** The attempt, with something in the place of what is not shown. */
  readonly call: CallOf<O>;
  /** The question of that call. */
  readonly own: Question;
  readonly host: Directory;
  readonly ask: (call: CallOf<O>, given?: Given) => Question;
}

/** An attempt, and a question that it may have put. */
interface Hypothesis<O extends Operation> {
  readonly attempt: Extract<Attempt, { operation: O }>;
  readonly question: Question;
}

/** An operation: what it concerns, and the checks in the order of the kernel. */
export interface OperationRules<O extends Operation = Operation> {
  /** The first profile that has the operation at all; every one has when left out. */
  readonly since?: Profile;
  /** Looks up what a call concerns, and says what each machine is told of it where it succeeds. */
  readonly concerns: (base: Question<CallOf<O>>, host: Directory, given: Given) => Question;
  readonly checks: readonly Check<CallOf<O>>[];
  /** What stands in the place of arguments that the evidence does not show; `UNSHOWN` of others. */
  readonly unshown: Readonly<Record<string, unknown>>;
  /**
   * The questions that an attempt may have put, one for each kind of argument that it may have had;
   * null where they are all one.
   */
  readonly hypotheses: ((attempt: Unshown<O>) => Question[]) | null;
  /** Whether nobody can say what would be right, for what the evidence does not show; null: never. */
  readonly isBeyondJudging: ((asked: Hypothesis<O>) => boolean) | null;
}

/** The rules of some operations, each with its own calls. */
export type OperationTable<O extends Operation> = { readonly [K in O]: OperationRules<K> };
