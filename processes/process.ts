/**
 * The types of the process table: processes, their descriptors and mappings, and holders of files.
 *
 * @module
 */
import type { Fact, Placed } from '../events/vocabulary.ts';
import { effectOf } from './effects.ts';

/** A `struct file`: `f` and the position of the event that opened it, as in `f41`. */
export type FileId = string;

/** The position of the event that opened a file. NaN if no event did. */
export function positionOf(file: FileId): number {
  return Number(file.slice(1));
}

/** The file of descriptors 0 to 2 of a new process. It is never released and never VFIO's. */
export const TERMINAL: FileId = 'terminal';

/**
 * The pid of the kernel itself: it holds a file that is in a socket's queue, or whose last known holder
 * is gone although the evidence shows releases and has not shown this one. Processes whose pid the evidence does not show have
 * greater numbers. No real process has such a pid (include/linux/threads.h:PID_MAX_LIMIT).
 */
export const KERNEL_PID = 0x40_0000;

/** A descriptor or a mapping that keeps a file alive. */
export interface ProcessHolder {
  readonly pid: number;
  readonly comm: string;
  readonly cgroup: string | null;
  readonly via: 'fd' | 'mapping';
  /** The number of the descriptor; negative if the evidence does not show it; null for a mapping. */
  readonly fd: number | null;
  readonly file: FileId;
}

/**
 * The virtual machine that the command line of a process names; `false` if it names none, null if the
 * evidence does not show it.
 */
export type NamedVm = string | false | null;

/** An entry of a descriptor table: its file, and FD_CLOEXEC. */
export interface Descriptor {
  readonly file: FileId;
  readonly cloexec: boolean;
}

/** A living process. */
export interface Process {
  readonly pid: number;
  comm: string;
  cgroup: string | null;
  vm: NamedVm;
  /** Start time in clock ticks since the boot; null if unknown. */
  started: string | null;
  readonly descriptors: Map<number, Descriptor>;
  readonly mappings: Map<number, FileId>;
}

/** A descriptor of a process, by its number, or a mapping, by its address. */
export interface HoldPlace {
  readonly process: Process;
  readonly via: 'fd' | 'mapping';
  readonly number: number;
}

/** Is called when processes start, end or change names, and when they gain or lose a hold on a file. */
export interface ProcessObserver {
  started(process: Process): void;
  /** `comm`, `cgroup` or `vm` changed. */
  renamed(process: Process): void;
  ended(process: Process): void;
  /** `from` is the hold that was copied by dup, fork, SCM_RIGHTS or mmap; null for an open. */
  held(file: FileId, at: HoldPlace, from: HoldPlace | null): void;
  dropped(file: FileId, at: HoldPlace): void;
}

/** A new process with copies of its parent's descriptors and mappings. */
export function childOf(parent: Process, pid: number, comm: string): Process {
  const { cgroup, vm } = parent;
  const descriptors = new Map(parent.descriptors);
  return { pid, comm, cgroup, vm, started: null, descriptors, mappings: new Map(parent.mappings) };
}

/** The descriptor of the kernel that stands for its hold on a file: a number that no event has. */
export function keptAs(file: FileId): number {
  return -1 - positionOf(file);
}

/** The order of holders: by pid, then by descriptor, mappings last. */
export function byPlace(a: ProcessHolder, b: ProcessHolder): number {
  return a.pid - b.pid || (a.fd ?? Infinity) - (b.fd ?? Infinity) || 0;
}

/** The file that an event opens; null if it opens none. */
export function fileOpenedBy(event: Placed<Fact>): FileId | null {
  return effectOf(event.type).opens === null ? null : `f${event.position}`;
}
