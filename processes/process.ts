/**
 * Processes, and what they hold files by.
 *
 * @module
 */
import type { Fact, Placed } from '../events/vocabulary.ts';
import { effectOf } from './effects.ts';

/** `f` and the position of the event that opened it: `f41`. */
export type FileId = string;

/** Where the event stands that opened a file. NaN of one that nobody has seen to be opened. */
export function positionOf(file: FileId): number {
  return Number(file.slice(1));
}

/** What descriptors 0 to 2 of a fresh process stand for; never released, never ours. */
export const TERMINAL: FileId = 'terminal';

/**
 * The number that stands for the kernel itself as a process: a file that is on its way through a
 * socket, or kept by something that nobody has seen. Processes of which the evidence does not say the
 * number have those above. None is the pid of any process (include/linux/threads.h:PID_MAX_LIMIT).
 */
export const QUEUE = 0x40_0000;

/** A descriptor or a mapping that keeps a file alive. */
export interface ProcessHolder {
  readonly pid: number;
  readonly comm: string;
  readonly cgroup: string | null;
  readonly via: 'fd' | 'mapping';
  /** The descriptor's number, below 0 where the evidence does not say; null for a mapping. */
  readonly fd: number | null;
  readonly file: FileId;
}

/** What a number of a process stands for. */
export interface Descriptor {
  readonly file: FileId;
  readonly cloexec: boolean;
}

/** A living process. */
export interface Process {
  readonly pid: number;
  comm: string;
  cgroup: string | null;
  /** When it started, in ticks since the boot; null where nobody has said. */
  started: string | null;
  readonly descriptors: Map<number, Descriptor>;
  readonly mappings: Map<number, FileId>;
}

/** A descriptor by its number, or a mapping by its address, of a process. */
export interface HoldPlace {
  readonly process: Process;
  readonly via: 'fd' | 'mapping';
  readonly number: number;
}

/** Told of processes, and of what they hold, as they come and go. */
export interface ProcessObserver {
  started(process: Process): void;
  /** It goes by another name from here on. */
  renamed(process: Process): void;
  ended(process: Process): void;
  /** `from` is where it was taken over from: by a dup, a fork, a pass or a mapping. */
  held(file: FileId, at: HoldPlace, from: HoldPlace | null): void;
  dropped(file: FileId, at: HoldPlace): void;
}

/** The file that an event opens, where it opens one. */
export function fileOpenedBy(event: Placed<Fact>): FileId | null {
  return effectOf(event.type).opens === null ? null : `f${event.position}`;
}
