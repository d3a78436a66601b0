/**
 * What came of a figure: ours, what it is beside, and whether that is what was to be reached.
 *
 * @module
 */

import type { HostKind } from './hosts.ts';

/** Of an exponent, none. */
export type Unit = '/s' | 's' | 'ms' | 'MB' | 'x' | '%' | '';

/** Of the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Measurement {
  readonly figure: string;
  /** The host that the log is of, where the figure has one. */
  readonly host: HostKind | null;
  /** Length of the log, where the figure has one. */
  readonly events: number | null;
  readonly unit: Unit;
  readonly ours: Spread;
  /** The peer, `the limit`, or nothing where ours stands alone. */
  readonly beside: string;
  readonly peer: Spread | null;
  /** Ours over the peer's, of the medians. */
  readonly ratio: number | null;
  /** What the ratio is to reach, or not to exceed where less is better; null where none was set. */
  readonly target: number | null;
  readonly better: 'more' | 'less';
  readonly reached: boolean | null;
}

interface Taken {
  readonly figure: string;
  readonly host?: HostKind;
  readonly events?: number;
  readonly unit: Unit;
  /** One of each round. */
  readonly ours: readonly number[];
  /** A peer with one of each round, or a limit; ours stands alone when left out. */
  readonly beside?: { readonly name: string; readonly peer: readonly number[] } | number;
  readonly target?: number;
}

export function measurement(taken: Taken): Measurement {
  const { figure, host = null, events = null, unit, beside } = taken;
  const better = unit === '/s' ? 'more' : 'less';
  const ours = spreadOf(taken.ours);
  const alone = { figure, host, events, unit, ours, better } as const;
  if (beside === undefined) {
    return { ...alone, beside: '', peer: null, ratio: null, target: null, reached: null };
  }
  const isLimit = typeof beside === 'number';
  const peer = spreadOf(isLimit ? [beside] : beside.peer);
  const target = taken.target ?? (isLimit ? 1 : null);
  const ratio = ours.median / peer.median;
  const reached = target === null ? null : better === 'more' ? ratio >= target : ratio <= target;
  return { ...alone, beside: isLimit ? 'the limit' : beside.name, peer, ratio, target, reached };
}

/** The value that so many of a hundred do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.at(Math.ceil((sorted.length * percent) / 100) - 1) ?? Number.NaN;
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted.at(index) ?? Number.NaN;
  return { median: at(Math.floor(sorted.length / 2)), min: at(0), max: at(-1) };
}
