/**
 * The shape of the answer of `why`.
 *
 * @module
 */
import type { Cause, ObservedCause } from '../../machines/causes.ts';
import type { Blocker } from '../../machines/check.ts';
import type { AboutMoments, Holder, Position, TimeBeside } from '../shapes.ts';

interface BlockerView extends Blocker {
  readonly holders: readonly Holder[];
  /** The number of the group, or the device, that a message names; absent in other answers. */
  readonly subject?: string;
}

/** A cause that a refusal may have. */
export interface Candidate {
  readonly cause: Cause;
  /** The cause in a sentence. */
  readonly summary: string;
  /** A command for the host whose output tells whether it is this cause. */
  readonly next: string;
}

/** A refusal, explained. */
export interface Why extends AboutMoments {
  readonly position: number;
  readonly time: TimeBeside;
  /** Name of the operation, such as `attach`. */
  readonly operation: string;
  /** As observed, such as `EBUSY`; null if the program concluded the refusal, or does not print it. */
  readonly errno: string | null;
  /** A name that never changes; `unknown` if the rules do not explain the refusal. */
  readonly cause: ObservedCause;
  /** The cause in a sentence. */
  readonly summary: string;
  /** The causes that it may have, if the evidence does not tell which; empty if `cause` is known. */
  readonly candidates: readonly Candidate[];
  /** The file or driver in the way, and the holders that keep it alive; null if there is none. */
  readonly blocker: BlockerView | null;
  /** The fewest positions without which the call would have passed; empty if none were found. */
  readonly because: readonly number[];
  /** The first later position of the boot after which the call would pass; null if there is none. */
  readonly wouldPassAfter: Position;
  readonly wouldPassAfterTime: TimeBeside;
}
