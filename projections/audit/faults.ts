/**
 * What `verify` found, as plain data.
 *
 * @module
 */
import type { Coverage } from '../coverage.ts';
import type { Position, TimeBeside } from '../shapes.ts';

/** A place where a log contradicts itself, the rules or the evidence. */
export interface Fault {
  readonly position: Position;
  readonly time: TimeBeside;
  /**
   * `bytes`: the file is damaged. `foreign`: a file holds what vfio-ledger has not put there, so nothing
   * is written to it. `absent`: events are missing. `head`: the log lacks the head that
   * was kept. `rules`: an event contradicts the rules. `evidence`: the evidence shows another cause
   * or release. `table`: the table of a machine and XState differ. `projection`: the index, or an
   * answer from it, differs from the events. `invariant`: an invariant is violated.
   */
  readonly kind:
    | 'bytes'
    | 'foreign'
    | 'absent'
    | 'head'
    | 'rules'
    | 'evidence'
    | 'table'
    | 'projection'
    | 'invariant';
  readonly detail: string;
}

/** A host of a log. */
export interface HostInLog {
  readonly host: string;
  /** The number of its events that the log has. */
  readonly events: number;
  /** `POSITION:HASH` of its last event. */
  readonly head: string;
}

/** What `verify` found. */
export interface Verification {
  /** Number of events checked. */
  readonly events: number;
  /** `POSITION:HASH` of the last event, to keep as a witness; position -1 if the log is empty. */
  readonly head: string;
  readonly faults: readonly Fault[];
  /** Sentences about things that are not faults, such as removed events. */
  readonly notes?: readonly string[];
  /** All hosts of the log, by name: also those that were not asked about. */
  readonly hosts: readonly HostInLog[];
  /** Of the whole log. */
  readonly coverage: Coverage;
}
