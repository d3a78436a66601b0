/**
 * Shapes of the answer of `between`: what processes did with VFIO files between two moments.
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import type { AboutMoments, Holder, Holding, Owner, Position, TimeBeside } from './shapes.ts';
import type { Why } from './why/why.ts';

/** An event of the log. */
interface At {
  readonly position: number;
  /** ISO 8601 with microseconds, UTC; null if the event has no time. */
  readonly time: string | null;
}

/** A call of a process. */
interface Called extends At {
  /** Null if the evidence does not show the process. */
  readonly pid: number | null;
  /** Name of the process at that moment; null if the evidence does not show it. */
  readonly comm: string | null;
  /** The descriptor that was opened, or that the call was made on; null if it is unknown. */
  readonly fd: number | null;
}

/** The kind of a VFIO file, and its group or device. */
export type FileOf = Pick<Holding, 'kind' | 'group' | 'device'>;

/** An open of a VFIO file. */
export interface Opening extends Called, FileOf {
  readonly file: FileId;
  /**
   * False if no line shows the open, and a later line shows that the file was open. Then it was
   * opened at `position` or before, perhaps before the first moment.
   */
  readonly isSeen: boolean;
}

/** An open of a VFIO file, and its release. */
export interface OpenedFile extends Opening {
  /**
   * The event by which the kernel released the file; null if it was still open at the last moment.
   */
  readonly released: At | null;
}

/** A call that gave a group an owner, or a device its page table. */
export interface BoundFile extends Called, FileOf {
  readonly operation: 'bind' | 'attach' | 'set_container';
}

/** A refused attempt, with its cause by the rules. */
export interface RefusedCall
  extends Omit<Called, 'fd'>, Pick<Why, 'operation' | 'errno' | 'cause' | 'summary'> {
  /** What it was made on; null if it was made on none, or if that is unknown. */
  readonly group: string | null;
  readonly device: string | null;
  /** What it was to open, such as `/dev/vfio/26`; null for a call that opens nothing by its path. */
  readonly path: string | null;
}

/** A descriptor or mapping of a leak, in any process. */
export interface HeldFile extends Holder, FileOf {}

/** A group and its owner at the last moment. */
export interface OwnedGroup {
  readonly group: string;
  readonly owner: Owner;
}

/**
 * A file that was opened after the first moment and still open at the last.
 *
 * It counts as a leak of the process that opened it, whichever process holds it now. A file that
 * was opened earlier, or by another process, is not a leak of the process that received it.
 */
export interface Leak extends Opening {
  /** Descriptors, mappings and kernel references of the file at the last moment. */
  readonly holders: readonly Holder[];
  /** The groups that it owns, or whose owner it keeps alive. */
  readonly keepsOwnerOf: readonly string[];
}

/** What processes did with VFIO files after `from`, up to `to`. */
export interface Activity extends AboutMoments {
  readonly from: Position;
  readonly fromTime: TimeBeside;
  readonly to: Position;
  readonly toTime: TimeBeside;
  readonly opened: readonly OpenedFile[];
  readonly bound: readonly BoundFile[];
  readonly refused: readonly RefusedCall[];
  /** Descriptors and mappings of the leaks; empty if only the kernel keeps them open. */
  readonly held: readonly HeldFile[];
  /** Groups whose owner the leaks keep alive, and groups whose owner is unknown at `to`. */
  readonly owned: readonly OwnedGroup[];
  /** Files of `opened` that were not released. */
  readonly leaks: readonly Leak[];
}
