/**
 * Files and devices as they are claimed to be.
 *
 * @module
 */
import type { FileId } from '../../processes/process-table.ts';

/** A file as it is claimed to be. */
export interface ClaimedFile {
  readonly id: FileId;
  readonly kind: 'group' | 'device' | 'container' | 'iommufd';
  /** The group of a group's file or of a device's. */
  readonly group: string | null;
  /** Of a device's file. */
  readonly device: string | null;
  /** Of a device's file that was got from a group. */
  readonly isGranted: boolean;
  /** The context that a device's file is bound to, or the container that a group's file is in. */
  context: FileId | null;
  /** Whether the context is an iommufd. */
  isIommufd: boolean;
  /** Of a group's file: the last VFIO device has left the group since it was opened. */
  isDead: boolean;
  /** Files that it keeps alive. */
  readonly keeps: Set<FileId>;
}

export interface ClaimedDevice {
  readonly group: string | null;
  driver: string | null;
  /** The driver, or none, that an unbind which waits goes on to. */
  leavesFor: { readonly next: string | null } | null;
}

/** Who must have gone before an event, as the machines say (`HostState.touched`). */
export interface Gone {
  /** Files that nobody holds any more. */
  readonly evicted: ReadonlySet<FileId>;
  /** Devices that have lost a kernel driver. */
  readonly unbound: ReadonlySet<string>;
}
