/**
 * Files and devices as the evidence claims them to be; see `claims.ts`.
 *
 * @module
 */
import type { FileId } from '../../processes/process-table.ts';

export interface ClaimedFile {
  readonly id: FileId;
  readonly kind: 'group' | 'device' | 'container' | 'iommufd';
  /** The group of a group's file or of a device's file. */
  readonly group: string | null;
  /** The device of a device's file. */
  readonly device: string | null;
  /** Whether a device's file was obtained from a group. */
  readonly isGranted: boolean;
  /** The iommufd that a device's file is bound to, or the container of a group's file. */
  context: FileId | null;
  /** Whether the context is an iommufd. */
  isIommufd: boolean;
  /** Whether the last VFIO device has left the group of a group's file since it was opened. */
  isDead: boolean;
  /** The files that it keeps alive. */
  readonly keeps: Set<FileId>;
}

export interface ClaimedDevice {
  readonly group: string | null;
  driver: string | null;
  /** The driver that is bound (null: none) when the waiting unbind ends; null if none waits. */
  leavesFor: { readonly next: string | null } | null;
}

/** What must have ended before an event could pass; the machines report it (`LiveHost.touched`). */
export interface Gone {
  /** Files that must have been released. */
  readonly evicted: ReadonlySet<FileId>;
  /** Devices whose kernel driver must have been unbound. */
  readonly unbound: ReadonlySet<string>;
}
