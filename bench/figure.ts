/**
 * A figure: how it is taken, and with how much effort.
 *
 * @module
 */
import type { Logs } from './logs.ts';
import type { Measurement } from './measurement.ts';

export type Figure = (run: Run) => Promise<readonly Measurement[]>;

export interface Run {
  /** A folder of the figure's own. */
  readonly folder: string;
  readonly effort: Effort;
  /** Lengths of logs that figures are taken at, ascending. */
  readonly lengths: readonly number[];
  readonly logs: Logs;
  /** Notes a peer that is not there. */
  readonly leaveOut: (peer: string) => void;
}

export interface Effort {
  /** Rounds that do not count: until then code is compiled and files grow. */
  readonly warmUp: number;
  readonly rounds: number;
  /** Rounds of what takes seconds, or a process of its own. */
  readonly longRounds: number;
  /** Questions asked in a round. */
  readonly questions: number;
}
