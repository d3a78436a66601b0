/**
 * Contradictions: what the rules say could not have happened, as data.
 *
 * @module
 */
import type { EventType } from '../events/vocabulary.ts';
import type { FileId } from '../processes/process-table.ts';
import type { MachineName } from './admission.ts';

export type ContradictionReason =
  /** A machine, in the state in which it stands, does not admit an event. */
  | {
      readonly kind: 'not-admitted';
      readonly machine: MachineName;
      readonly state: string | undefined;
      readonly event: string;
    }
  /** A call names a descriptor behind which there is no context. */
  | { readonly kind: 'no-context'; readonly event: EventType }
  /** What was opened is not there. */
  | { readonly kind: 'no-node'; readonly event: EventType }
  | { readonly kind: 'no-device'; readonly event: EventType; readonly device: string }
  | {
      readonly kind: 'other-driver';
      readonly device: string;
      readonly seen: string | null;
      readonly expected: string | null;
    }
  /** A file must have been closed before: otherwise a call that passed would have failed. */
  | { readonly kind: 'file-gone'; readonly file: FileId; readonly errno: string }
  /** So must a driver have been unbound. */
  | {
      readonly kind: 'driver-gone';
      readonly driver: string;
      readonly device: string;
      readonly errno: string;
    };

/** An event that the rules say could not have happened, and why. */
export interface Contradiction {
  readonly position: number;
  readonly reason: ContradictionReason;
}
