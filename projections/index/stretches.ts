/**
 * Stretches of events in which a file was held, kept another one alive, or concerned a group, and in
 * which a process had one name.
 *
 * @module
 */
import type { Reasons } from './concerning.ts';

/** `from` of a stretch that began before the segment. */
export const BEFORE = -1;

/** Half-open, in events counted from the first of the segment. */
export interface EventStretch {
  /** `BEFORE` if it began before the segment. */
  readonly from: number;
  /** Infinity if it goes on after the segment. */
  to: number;
}

/** A process as long as it had one name, in the codes of the segment (`PROCESS`). */
export interface NameStretch extends EventStretch {
  readonly index: number;
  readonly pid: number;
  readonly comm: number;
  readonly cgroup: number;
  readonly vm: number;
  /** Whether the same process had another name before. */
  readonly isLater: boolean;
}

/** A descriptor or mapping of a file. */
export interface HoldStretch extends EventStretch {
  /** The names of its process, ascending. */
  readonly names: readonly NameStretch[];
  readonly isMapping: boolean;
  /** The number of the descriptor; null if it is not shown, and for a mapping. */
  readonly fd: number | null;
  /** As `HOLD.number`. */
  readonly number: number;
}

/** Another file keeps one alive. */
export interface PinStretch extends EventStretch {
  readonly by: WatchedFile;
}

/** A file, and what held it in the segment. */
export interface WatchedFile {
  /** Position of its open. */
  readonly opened: number;
  readonly wasOpen: boolean;
  /** Whether it is open after the last event. */
  isOpen: boolean;
  /** Whether it was opened without a descriptor that is still there after the event. */
  isUnseen: boolean;
  readonly holds: HoldStretch[];
  readonly pins: PinStretch[];
  /** Codes of the groups that it concerns now. */
  readonly concerns: Set<number>;
}

/** A file concerns a group for the same reasons. */
export interface ConcernStretch extends EventStretch {
  readonly file: WatchedFile;
  /** As `bitsOf`. */
  readonly reasons: number;
}

/** The reasons of a concern as bits. */
export function bitsOf({ opens, bound, keepsOwner }: Reasons): number {
  return (opens ? 1 : 0) | (bound ? 2 : 0) | (keepsOwner ? 4 : 0);
}

/** The reasons that bits stand for. */
export function reasonsOf(bits: number): Reasons {
  return { opens: (bits & 1) !== 0, bound: (bits & 2) !== 0, keepsOwner: (bits & 4) !== 0 };
}
