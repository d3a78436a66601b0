/**
 * What does not agree in a log, as data.
 *
 * @module
 */
import type { ObservedCause } from '../machines/causes.ts';
import type { MachineName } from '../machines/admission.ts';
import type { ContradictionReason } from '../machines/contradiction.ts';
import type { Profile } from '../machines/profile.ts';
import type { FileId } from '../processes/process-table.ts';
import type { Violation } from './audit/invariants.ts';
import type { Position } from './shapes.ts';

export type Finding = { readonly position: Position } & Disagreement;

type Disagreement =
  /** The table of a machine against XState: where each goes, null where it does not admit the event. */
  | {
      readonly kind: 'table';
      readonly machine: MachineName;
      readonly xstate: string | null;
      readonly table: string;
    }
  /** A refusal that the rules do not explain, and how they would have refused it; null: not at all. */
  | {
      readonly kind: 'unexplained';
      readonly operation: string;
      readonly errno: string;
      readonly profile: Profile;
      readonly expected: { readonly errno: string; readonly cause: string } | null;
    }
  /** A call that passed, and that the rules would have refused. */
  | {
      readonly kind: 'passed';
      readonly operation: string;
      readonly profile: Profile;
      readonly errno: string;
      readonly cause: string;
    }
  | { readonly kind: 'contradiction'; readonly reason: ContradictionReason }
  /** The evidence names another cause than the rules. */
  | {
      readonly kind: 'cause';
      readonly operation: string;
      readonly named: string;
      readonly profile: Profile;
      readonly cause: ObservedCause;
    }
  /** The kernel released a file that by the model is held; by the kernel alone where no holder is. */
  | {
      readonly kind: 'release';
      readonly file: FileId;
      readonly holders: readonly { readonly pid: number | null; readonly fd: number | null }[];
    }
  | ({ readonly kind: 'invariant' } & Violation)
  /** The table and the machines differ on who owns a group. */
  | { readonly kind: 'projection'; readonly group: string }
  /** The head is not the one that was kept. */
  | { readonly kind: 'head'; readonly found: 'not-here' | 'ends-before' | 'other-hash' };
