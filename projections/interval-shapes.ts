/**
 * The shapes of histories: intervals of ownership, and what happened in them.
 *
 * @module
 */
import type { Claimant, Holder, Owner, Position, Span, TimeBeside } from './shapes.ts';

/** Half-open: from `from` up to but without `to`, which is null for the last interval. */
export interface OwnerInterval {
  readonly subject: string;
  readonly from: Position;
  readonly to: Position;
  /** With its holders at `from`. */
  readonly owner: Owner;
  /** Type of the event at `to`; null for the last interval. */
  readonly endedBy: string | null;
}

/** An interval of a history, and what happened in it. */
export interface Interval extends OwnerInterval, Span {
  /**
   * Every descriptor and mapping that kept the owner alive in it; none for kernel drivers. If the
   * owner is unknown, those that were seen on the group, or on the subject if it has none.
   */
  readonly hands: readonly Hand[];
  /** The claims of managers that were in force at any time of it. */
  readonly claimants: readonly PastClaim[];
  /** Number of the group's incarnation, from 1; given if the group had several. */
  readonly incarnation?: number;
}

/** A holder that kept an owner alive, from when to when. */
export interface Hand extends Holder, Span {
  /** Position since which it did; not before the interval that was asked about. */
  readonly from: number;
  /** Null while it goes on; not after the interval. */
  readonly to: Position;
}

/** A claimant, and until when it was one. */
export interface PastClaim extends Claimant {
  /** Position of the event that shows the release, or of the next boot; null if neither came. */
  readonly to: Position;
  readonly toTime: TimeBeside;
}

/** An interval of ownership in which the process asked about kept the owner alive, or may have. */
export interface Tenure extends Interval {
  /** The first of its `hands` that each such process had; empty if the owner is unknown. */
  readonly by: readonly Hand[];
}

/** `/dev/vfio/N` existed and stood for the same devices. */
export interface Incarnation extends Span {
  readonly group: string;
  readonly from: number;
  /** Boot id of the host; null if the evidence does not show it. */
  readonly boot: string | null;
  /** Devices with a VFIO driver at any time of it; empty if no event names one. */
  readonly devices: readonly string[];
}
