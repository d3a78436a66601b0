/**
 * What was read of evidence, before anything is appended to a log.
 *
 * @module
 */
import type { SeenCounts } from './messages/seen.ts';
import { copied } from './source.ts';
import type { Spool } from './spool.ts';

/** A line that could not be read. */
export interface Rejected {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

/** The number of characters of a reason that are kept: it may quote a line. */
const LONGEST_REASON = 400;

/** The reason in the message of an error, as it is kept. */
export function reasonOf(message: string): string {
  const isLong = message.length > LONGEST_REASON;
  return copied(isLong ? `${message.slice(0, LONGEST_REASON)}…` : message);
}

/** The result of reading. */
export interface Collected {
  /** The merged events. They can be read once. */
  readonly events: Spool;
  /** The number of lines read. */
  readonly read: number;
  /** The number of lines that a reader took for its own and could not read. */
  readonly unknown: number;
  /** The number of lines of which no reader took anything. */
  readonly passedOver: number;
  /** The number of statements in messages and listings, by kind. */
  readonly seen: SeenCounts;
  /** The first lines that could not be read, and the number of all of them. */
  readonly rejected: readonly Rejected[];
  readonly rejectedCount: number;
  /** The kernels that the rules of a neighbouring release judge. */
  readonly judgedAs: readonly JudgedKernel[];
}

/** A kernel release, and the profile of another release that judges it. */
export interface JudgedKernel {
  readonly kernel: string;
  readonly profile: string;
}

/** The progress of reading. */
export interface Reading {
  readonly lines: number;
  /** The share that is read, from 0 to 1; null if unknown. */
  readonly share: number | null;
}
