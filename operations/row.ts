/**
 * What a row says of an operation: the ioctl that it is, how scenarios write it, what a trace shows of
 * it, and the event that it records, both ways. Every key is required: an operation that leaves one
 * out does not compile.
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

/** A call that was turned down; the cause where the rules name one. */
export interface Refused {
  readonly errno: string;
  readonly cause?: string;
  /** The driver that a device is left with, where a change has got so far. */
  readonly driver?: string | null;
}

/** What a call that passed came back with. */
export interface Passed {
  readonly errno: null;
  /** The descriptor that was handed out, or 0. */
  readonly rc: number;
  /** The descriptor, where one was handed out. */
  readonly fd?: number | undefined;
  /** The object id handed out, or the address of a mapping; where that is known. */
  readonly id?: number | undefined;
  /** The page table that an attach ended on, where that is known. */
  readonly hwpt?: number | undefined;
  /** The process that was made. */
  readonly pid?: number | undefined;
  /** The node that the driver gave the device; null where it has none. */
  readonly cdev?: string | null | undefined;
  /** The driver that a device has after a change; null for none. */
  readonly driver?: string | null;
  /** True where a driver change waits for the last file of its device. */
  readonly isPending?: boolean;
}

/** How a call went. */
export type Outcome = Refused | Passed;

/** The kinds of files that take requests of VFIO's. */
export const fileKinds = ['group', 'device', 'iommufd', 'container'] as const;
export type FileKind = (typeof fileKinds)[number];

/** An ioctl (include/uapi/linux/vfio.h, iommufd.h). */
interface Request {
  /** As the kernel's headers and traces call it. */
  readonly name: string;
  readonly number: number;
  /** The kinds of files that take it. */
  readonly on: readonly FileKind[];
  /** What its argument is: the address of a structure, a number, or nothing. */
  readonly argument: 'pointer' | 'value' | 'none';
}

/** What a statement's words stand for, by the place of an operand. */
export interface Said {
  /** The process that makes the call. */
  readonly pid: number;
  readonly cloexec: boolean;
  /** `argsz` and `flags`, where they were given. */
  readonly shape: { readonly argsz?: number; readonly flags?: number };
  readonly range: { readonly iova: number; readonly size: number };
  /** The word itself; empty where it was left out. */
  word(at: number): string;
  /** A descriptor, by its name. */
  fd(at: number): number;
  /** The descriptors from there on. */
  fds(from: number): number[];
  /** An object of an iommufd, by its name. */
  object(at: number): number;
  /** The id that a device was bound with, by the name of its descriptor. */
  boundId(at: number): number;
  /** What a name stands for, as it is. */
  value(at: number): number;
  /** A number in C notation; `otherwise` where it was left out. */
  number(at: number, otherwise?: number): number;
  device(at: number): string;
  group(at: number): string;
  /** The device whose cdev has that name below /dev/vfio/devices. */
  cdev(node: string): string;
  /** A process; one that is not there is started. */
  receiver(at: number): number;
  /** The value of an option, as 32 bits. */
  option(name: string): number | undefined;
  /** The operation that a request without a structure is; null where it is none. */
  bare(request: number, place: TracedPlace): Call | null;
}

/** Gives the words of a statement meanings. */
export interface Naming {
  name(at: number, value: number): void;
  /** The name with `.id` behind it. */
  nameId(at: number, value: number): void;
  /** The word at a place, or at the other where it was left out, in another process. */
  nameIn(pid: number, at: number, otherwise: number, value: number): void;
  unmap(address: number): void;
  executed(): void;
  ended(pid: number): void;
  /** A process that begins, with names of its own or with those of the caller. */
  started(at: number, pid: number): void;
  forked(at: number, pid: number): void;
}

interface Scenario<O extends Operation> {
  /** Operands in order, `?` optional, `*` any number. */
  readonly operands: readonly string[];
  /** Options that may be given as `name=number`. */
  readonly options: readonly string[];
  readonly call: (said: Said) => Call;
  /** What its names stand for once it has passed; null where it has none. */
  readonly names: ((naming: Naming, passed: Passed, call: CallOf<O>) => void) | null;
}

/** A call as an event has it, and what came of it. */
export interface RecordedCall<O extends Operation = Operation> {
  readonly call: AttemptOf<O>;
  readonly passed: Partial<Passed>;
}

/** An event that records a call, and the way back. */
export type Recording<O extends Operation> = {
  [T in EventType]: {
    readonly type: T;
    /** What the event holds; null where this one does not record the call. */
    readonly data: (call: AttemptOf<O>, passed: Passed) => DataOf<T> | null;
    /** The call that an event records; null where it is another operation's. */
    readonly call: (data: DataOf<T>) => RecordedCall<O> | null;
  };
}[EventType];

export interface OperationRow<O extends Operation> {
  /** Null where it is no ioctl, or one of any number. */
  readonly request: Request | null;
  /** The arguments that are descriptors, besides the one that it operates on. */
  readonly descriptors: readonly string[];
  /** The arguments that are processes, besides the caller. */
  readonly processes: readonly string[];
  /** Who makes the call in a scenario: a process, the recorder itself, or what it has waiting. */
  readonly caller: 'process' | 'recorder' | 'background';
  readonly scenario: Scenario<O>;
  /** The attempt behind an ioctl in a trace, with null for what it does not show; null for no ioctl. */
  readonly traced: ((place: TracedPlace, words: TracedWords) => AttemptOf<O>) | null;
  /** The number of the descriptor that a call hands out; null where it hands out none. */
  readonly handsOut: ((call: CallOf<O>, lowestFree: (pid: number) => number) => number) | null;
  /**
   * What it does with the context of its file: gives it the one that is its first descriptor, takes it
   * away, or needs it; null where it has nothing to do with one.
   */
  readonly context: 'given' | 'taken' | 'used' | null;
  /** What it makes that is no file's, and so is not one fact after one answer. */
  readonly makes: 'process' | 'mapping' | 'driver-change' | 'end-of-driver-change' | null;
  /** Whether it is refused of a group as a whole, and so of each of its devices. */
  readonly isOfGroup: boolean;
  /** What its answer tells besides a number. */
  readonly tells: 'group-status' | null;
  /** None where its success changes nothing that the log keeps. */
  readonly records: readonly Recording<O>[];
  /** Who takes these events: the machines, or the table of processes and what else is the host's. */
  readonly takenBy: 'machines' | 'processes';
}

/** What a row says where there is nothing to say: of a call of a process that is one fact. */
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

/** The same of a request of a file's. */
export const onFile = { ...plain, takenBy: 'machines' } as const;

/** The same of an open: the machines take it, and it hands out the lowest descriptor. */
export const noIoctl = {
  ...plain,
  request: null,
  traced: null,
  takenBy: 'machines',
  handsOut: ({ pid }: { readonly pid: number }, lowestFree: (pid: number) => number) =>
    lowestFree(pid),
} as const;

/** The same of what is no ioctl of a file's, and is taken by the table of processes. */
export const noRequest = { ...plain, request: null, traced: null, takenBy: 'processes' } as const;

export interface TracedPlace {
  readonly pid: number;
  readonly fd: number;
}

export type Rows<O extends Operation> = { readonly [K in O]: OperationRow<K> };
