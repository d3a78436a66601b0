/**
 * Findings of `verify`: where a log contradicts itself, the rules or the evidence, as data.
 *
 * @module
 */
import type { ObservedCause } from '../machines/causes.ts';
import type { MachineName } from '../machines/admission.ts';
import type { ContradictionReason } from '../machines/contradiction.ts';
import type { Profile } from '../machines/profile.ts';
import type { FileId } from '../processes/process-table.ts';
import type { Violation } from './audit/invariants.ts';
import type { ReplacedDifference } from './index/segment-difference.ts';
import type { Position } from './shapes.ts';

/** A finding, and the position of the event that it is about. */
export type Finding = { readonly position: Position } & Disagreement;

type DifferingAnswer =
  | {
      readonly differing: 'cause';
      readonly answered: ObservedCause;
      readonly exact: ObservedCause;
    }
  | { readonly differing: 'blocker' }
  | { readonly differing: 'wouldPassAfter'; readonly answered: Position; readonly exact: Position };

type Disagreement =
  /**
   * The table of a machine and XState differ: the state after the event; null if it is not
   * admitted.
   */
  | {
      readonly kind: 'table';
      readonly machine: MachineName;
      readonly xstate: string | null;
      readonly table: string;
    }
  /**
   * A refusal that the rules do not explain, and the one that they expect; null if they expect
   * none.
   */
  | {
      readonly kind: 'unexplained';
      readonly operation: string;
      readonly errno: string;
      readonly profile: Profile;
      readonly expected: { readonly errno: string; readonly cause: string } | null;
    }
  /** A call that passed, although the rules refuse it. */
  | {
      readonly kind: 'passed';
      readonly operation: string;
      readonly profile: Profile;
      readonly errno: string;
      readonly cause: string;
    }
  | { readonly kind: 'contradiction'; readonly reason: ContradictionReason }
  /** The evidence names another cause than the rules do. */
  | {
      readonly kind: 'cause';
      readonly operation: string;
      readonly named: string;
      readonly profile: Profile;
      readonly cause: ObservedCause;
    }
  /** The kernel released a file that the machines still have open; `holders` keep it open there. */
  | {
      readonly kind: 'release';
      readonly file: FileId;
      readonly holders: readonly { readonly pid: number | null; readonly fd: number | null }[];
    }
  | ({ readonly kind: 'invariant' } & Violation)
  /** The ownership table and the machines differ about the owner of a group. */
  | { readonly kind: 'projection'; readonly group: string }
  /** A segment of the index differs from the one that the events give. */
  | ({ readonly kind: 'segment' } & ReplacedDifference)
  /** What the index answers about a refusal differs from the machines, or from playing the events. */
  | ({ readonly kind: 'why' } & DifferingAnswer)
  /**
   * The log does not have the head that was kept. `host`: null if it is one of the host that is
   * verified; else `position` is null, and `kept` is the position of the head.
   */
  | ({
      readonly kind: 'head';
      readonly found: 'no-host' | 'not-here' | 'ends-before' | 'other-hash';
    } & ({ readonly host: null } | { readonly host: string; readonly kept: number }));
