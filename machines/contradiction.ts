/**
 * Contradictions, as data: events that could not have happened by the rules.
 *
 * @module
 */
import type { EventType } from '../events/vocabulary.ts';
import type { FileId } from '../processes/process-table.ts';
import type { MachineName } from './admission.ts';

export type ContradictionReason =
  /** A machine does not admit the event in its state. */
  | {
      readonly kind: 'not-admitted';
      readonly machine: MachineName;
      readonly state: string | undefined;
      readonly event: string;
    }
  /** A call gives a descriptor that is neither a container nor an iommufd. */
  | { readonly kind: 'no-context'; readonly event: EventType }
  /** The node that was opened does not exist. */
  | { readonly kind: 'no-node'; readonly event: EventType }
  | { readonly kind: 'no-device'; readonly event: EventType; readonly device: string }
  /** A group's file gave a device of another group. */
  | {
      readonly kind: 'other-group';
      readonly device: string;
      readonly seen: string;
      readonly expected: string;
    }
  | {
      readonly kind: 'other-driver';
      readonly device: string;
      readonly seen: string | null;
      readonly expected: string | null;
    }
  /** A file must have been closed without a record; else a call that passed would have failed. */
  | { readonly kind: 'file-gone'; readonly file: FileId; readonly errno: string }
  /** A driver must have been unbound without a record, for the same reason. */
  | {
      readonly kind: 'driver-gone';
      readonly driver: string;
      readonly device: string;
      readonly errno: string;
    };

/** An event that could not have happened by the rules: its position, and why. */
export interface Contradiction {
  readonly position: number;
  readonly reason: ContradictionReason;
}
