/**
 * The shape of what processes did with VFIO files between two moments; see `activityBetween`.
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import type { Holder, Holding, Owner, Position, Why } from './shapes.ts';

/** An event of the log. */
interface At {
  readonly position: number;
  readonly time: string | null;
}

/** A call of a process. */
interface Called extends At {
  /** Null where the evidence does not say which process it was. */
  readonly pid: number | null;
  /** The name of the process then; null where the evidence does not say. */
  readonly comm: string | null;
  /** The descriptor that was opened, or that the call was made on; null where it is not known. */
  readonly fd: number | null;
}

/** What a VFIO file is of: its kind, the group of a group's file or a device's, the device. */
export type FileOf = Pick<Holding, 'kind' | 'group' | 'device'>;

export interface Opening extends Called, FileOf {
  readonly file: FileId;
  /**
   * False where the open was not seen, but something that happens only to an open file: then the
   * file was opened at `position` or before, and it is not known whether before the first moment.
   */
  readonly isSeen: boolean;
}

export interface OpenedFile extends Opening {
  /** The event by which the kernel released the file; null where it was open at the last moment. */
  readonly released: At | null;
}

/** A call by which a group gets an owner, or a device its page table. */
export interface BoundFile extends Called, FileOf {
  readonly operation: 'bind' | 'attach' | 'set_container';
}

export interface RefusedCall
  extends Omit<Called, 'fd'>, Pick<Why, 'operation' | 'errno' | 'cause' | 'summary'> {}

/** A descriptor or a mapping of any process. */
export interface HeldFile extends Holder, FileOf {}

/** The owner of a group. */
export interface OwnedGroup {
  readonly group: string;
  readonly owner: Owner;
}

/**
 * A file that was opened after the first moment and still open at the last.
 *
 * It is a leak of the process that opened it, whichever process holds it in the end: a file that
 * was passed on is still held. A file that was opened earlier, or by another process, is no leak of
 * the process that it was passed to.
 */
export interface Leak extends Opening {
  /** Descriptors, mappings and kernel references of the file, at the last moment. */
  readonly holders: readonly Holder[];
  /** The groups that it owns, or whose owner it keeps alive. */
  readonly keepsOwnerOf: readonly string[];
}

/** What processes did with VFIO files after `from`, up to `to`. */
export interface Activity {
  readonly from: Position;
  readonly to: Position;
  readonly opened: readonly OpenedFile[];
  readonly bound: readonly BoundFile[];
  readonly refused: readonly RefusedCall[];
  /** Descriptors and mappings of the leaks; there may be none, where the kernel alone keeps them. */
  readonly held: readonly HeldFile[];
  /** Groups whose owner the leaks keep alive, and groups whose owner is unknown at `to`. */
  readonly owned: readonly OwnedGroup[];
  readonly leaks: readonly Leak[];
}
