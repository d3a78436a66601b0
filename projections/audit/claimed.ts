/**
 * Files and devices as the evidence claims them to be; see `claims.ts`.
 *
 * @module
 */
import type { OpeningEvent } from '../../processes/effects.ts';
import type { FileId } from '../../processes/process-table.ts';

/**
 * Calls that open a file of VFIO or iommufd, give it a context or take its context away. No other
 * call can change the owner of a group (`test/projections/audit/claimed-host.test.ts`).
 */
export type ClaimingCall =
  | Exclude<OpeningEvent, 'path.opened'>
  | 'device.bound'
  | 'container.set'
  | 'container.unset';

/** Events that cannot change the owner of a group. */
export const claimsNothing = {
  'history.archived': null,
  'history.removed': null,
  'host.died': null,
  'gap.noticed': null,
  'snapshot.taken': null,
  'evidence.begun': null,
  'group.found': null,
  'claim.granted': null,
  'claim.released': null,
  'claim.refused': null,
  'process.started': null,
  'process.found': null,
  'process.forked': null,
  'process.executed': null,
  'process.exited': null,
  'descriptor.duplicated': null,
  'descriptor.passed': null,
  'descriptor.flagged': null,
  'descriptor.closed': null,
  'mapping.created': null,
  'mapping.removed': null,
  'file.released': null,
  'operation.refused': null,
} as const;

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

/** A file that has just been opened. */
export function claimedFile(
  opened: Pick<ClaimedFile, 'id' | 'kind'> & Partial<ClaimedFile>,
): ClaimedFile {
  return {
    group: null,
    device: null,
    isGranted: false,
    context: null,
    isIommufd: false,
    isDead: false,
    keeps: new Set(),
    ...opened,
  };
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
