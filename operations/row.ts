/**
 * A row describes one operation: its ioctl, how scenarios write it, what a trace shows of it, and
 * the event that it records, in both directions. Every key is required: an operation that leaves
 * one out does not compile.
 *
 * @module
 */
import type {
  Call,
  CallOf,
  DataOf,
  EventType,
  Operation,
  RecordedAttempt,
} from '../events/vocabulary.ts';
import type { TracedWords } from './traced-words.ts';

type AttemptOf<O extends Operation> = Extract<RecordedAttempt, { operation: O }>;

/** A call that was refused; `cause` if the rules name one. */
export interface Refused {
  readonly errno: string;
  readonly cause?: string;
  /** The driver that the device has after a change that failed half-way; null for none. */
  readonly driver?: string | null;
}

/** The results of a call that passed. */
export interface Passed {
  readonly errno: null;
  /** The descriptor that was handed out; 0 if none. */
  readonly rc: number;
  /** The descriptor, if one was handed out. */
  readonly fd?: number | undefined;
  /** The object id that was handed out, or the address of a mapping; if known. */
  readonly id?: number | undefined;
  /** The page table that an attach ended on, by object id; if known. */
  readonly hwpt?: number | undefined;
  /** True if it was the first map of the process's address space into an IOAS. */
  readonly isFirstMap?: boolean | undefined;
  /** The pid of a new process. */
  readonly pid?: number | undefined;
  /** The cdev node that the driver gave the device; null if it has none. */
  readonly cdev?: string | null | undefined;
  /** The driver that a device has after a change; null for none. */
  readonly driver?: string | null;
  /** True if a driver change waits for the last file of its device. */
  readonly isPending?: boolean;
  /** True if the call never returns, as the kernel dies of it. */
  readonly isFatal?: boolean;
}

/** The outcome of a call; `errno` is null if it passed. */
export type Outcome = Refused | Passed;

/** The kinds of files that take ioctls of VFIO and iommufd. */
export const fileKinds = ['group', 'device', 'iommufd', 'container'] as const;
export type FileKind = (typeof fileKinds)[number];

/** An ioctl (include/uapi/linux/vfio.h, iommufd.h). */
interface Request {
  /** As the kernel's headers and traces call it. */
  readonly name: string;
  readonly number: number;
  /** The kinds of files that take it. */
  readonly on: readonly FileKind[];
  /** Its argument: the address of a structure, a number, or nothing. */
  readonly argument: 'pointer' | 'value' | 'none';
}

/** The words of a statement, resolved on the host it runs on; `at` is the index of an operand. */
export interface Said {
  /** The process that makes the call. */
  readonly pid: number;
  readonly cloexec: boolean;
  /** `argsz` and `flags`, if given. */
  readonly shape: { readonly argsz?: number; readonly flags?: number };
  /** The range of a DMA mapping, in bytes. */
  readonly range: { readonly iova: number; readonly size: number };
  /** The word itself; empty if left out. */
  word(at: number): string;
  /** The descriptor behind a name. */
  fd(at: number): number;
  /** The descriptors behind the names from there on. */
  fds(from: number): number[];
  /** The id of an iommufd object, by its name. */
  object(at: number): number;
  /** The object id of a bound device, by the name of its descriptor. */
  boundId(at: number): number;
  /** The number behind a name, not converted. */
  value(at: number): number;
  /** A number in C notation; `otherwise` if left out. */
  number(at: number, otherwise?: number): number;
  device(at: number): string;
  group(at: number): string;
  /** The device whose cdev has that name below /dev/vfio/devices. */
  cdev(node: string): string;
  /** The pid of a process; it is started if it does not exist. */
  receiver(at: number): number;
  /** The value of an option as unsigned 32 bits. */
  option(name: string): number | undefined;
  /** The call of an ioctl that takes no structure; null if the number is not one of these. */
  bare(request: number, place: TracedPlace): Call | null;
}

/** Assigns the names in a statement to the results of its call. */
export interface Naming {
  name(at: number, value: number): void;
  /** Assigns the name with `.id` appended. */
  nameId(at: number, value: number): void;
  /** Assigns in another process: the word at a place, or at `otherwise` if that was left out. */
  nameIn(pid: number, at: number, otherwise: number, value: number): void;
  unmap(address: number): void;
  executed(): void;
  ended(pid: number): void;
  /** A new process, without names or with those of the caller. */
  started(at: number, pid: number): void;
  forked(at: number, pid: number): void;
}

interface Scenario<O extends Operation> {
  /** Names of the operands in order; `?` optional, `*` any number. */
  readonly operands: readonly string[];
  /** The argument that each operand stands for; null: a name for what the call returns. */
  readonly arguments: readonly (Exclude<keyof CallOf<O>, 'operation'> | null)[];
  /** Names of the options, which are written `name=number`. */
  readonly options: readonly string[];
  readonly call: (said: Said) => Call;
  /** Assigns the names once the call has passed; null if it has none. */
  readonly names: ((naming: Naming, passed: Passed, call: CallOf<O>) => void) | null;
}

/** A call as an event holds it, and its results. */
export interface RecordedCall<O extends Operation = Operation> {
  readonly call: AttemptOf<O>;
  readonly passed: Partial<Passed>;
}

/** A type of event that records a call, with the conversion in both directions. */
export type Recording<O extends Operation> = {
  [T in EventType]: {
    readonly type: T;
    /** The data of the event; null if this event does not record the call. */
    readonly data: (call: AttemptOf<O>, passed: Passed) => DataOf<T> | null;
    /** The call that an event records; null if it records another operation's. */
    readonly call: (data: DataOf<T>) => RecordedCall<O> | null;
  };
}[EventType];

/** One operation. `onFile`, `noIoctl` and `noRequest` hold the defaults of its keys. */
export interface OperationRow<O extends Operation> {
  /** The ioctl; null if it is none, or one of any number. */
  readonly request: Request | null;
  /** Names of the arguments that are descriptors, besides `fd`. */
  readonly descriptors: readonly string[];
  /** Names of the arguments that are processes, besides `pid`. */
  readonly processes: readonly string[];
  /** Who makes the call in a scenario: a process, the recorder, or its background task. */
  readonly caller: 'process' | 'recorder' | 'background';
  readonly scenario: Scenario<O>;
  /** The attempt of a traced ioctl, with null for what is not shown; null if it is no ioctl. */
  readonly traced: ((place: TracedPlace, words: TracedWords) => AttemptOf<O>) | null;
  /** The descriptor that a call hands out; null if it hands out none. */
  readonly handsOut: ((call: CallOf<O>, lowestFree: (pid: number) => number) => number) | null;
  /**
   * What it does with the context of its file: gives it the context behind its first descriptor
   * argument, takes it away, or uses it; null if it does none of these.
   */
  readonly context: 'given' | 'taken' | 'used' | null;
  /** What it creates besides files, for `scenario/perform.ts` to handle apart; null for nothing. */
  readonly makes: 'process' | 'mapping' | 'driver-change' | 'end-of-driver-change' | null;
  /** Whether a refusal concerns the group as a whole, and so each of its devices. */
  readonly isOfGroup: boolean;
  /** What its answer holds besides a number. */
  readonly tells: 'group-status' | null;
  /** Empty if its success changes nothing that the log holds. */
  readonly records: readonly Recording<O>[];
  /** Who takes these events: the machines, or the process table and `host-changes.ts`. */
  readonly takenBy: 'machines' | 'processes';
}

/** Defaults of a row: a process makes the call, and it is one fact. */
const plain = {
  descriptors: [],
  processes: [],
  caller: 'process',
  handsOut: null,
  context: null,
  makes: null,
  isOfGroup: false,
  tells: null,
} as const;

/** Defaults of an ioctl on a file: the machines take its event. */
export const onFile = { ...plain, takenBy: 'machines' } as const;

/** Defaults of an open: the machines take its event; it hands out the lowest free descriptor. */
export const noIoctl = {
  ...plain,
  request: null,
  traced: null,
  takenBy: 'machines',
  handsOut: ({ pid }: { readonly pid: number }, lowestFree: (pid: number) => number) =>
    lowestFree(pid),
} as const;

/** Defaults of a call that is no ioctl, and whose event the process table takes. */
export const noRequest = { ...plain, request: null, traced: null, takenBy: 'processes' } as const;

/** The process and the descriptor of a traced ioctl. */
export interface TracedPlace {
  readonly pid: number;
  readonly fd: number;
}

export type Rows<O extends Operation> = { readonly [K in O]: OperationRow<K> };
