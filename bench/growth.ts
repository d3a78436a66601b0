/**
 * How the time of an answer grows with the log, and what it may be at all.
 *
 * @module
 */
import type { HostKind } from './hosts.ts';
import { type Measurement, measurement } from './measurement.ts';
import { countText } from './report.ts';

/** Of ms, for 99 of 100 questions. */
export const P99_LIMIT = 1;

/** The medians of the rounds at a length. */
export interface Medians {
  readonly events: number;
  readonly of: readonly number[];
}

interface Grown {
  readonly figure: string;
  readonly host: HostKind;
  /** How many times as long it may take on the longest log. */
  readonly limit: number;
}

/** How many times as long it takes on the longest log as on the shortest; nothing of one length. */
export function growth({ figure, host, limit }: Grown, medians: readonly Medians[]): Measurement[] {
  const [shortest] = medians;
  const longest = medians.at(-1);
  if (shortest === undefined || longest === undefined || shortest === longest) return [];
  const ours = longest.of.map((spent, round) => spent / (shortest.of[round] ?? Number.NaN));
  const name = `${figure}, as a multiple of that at ${countText(shortest.events)}`;
  const { events } = longest;
  return [measurement({ figure: name, host, events, unit: 'x', ours, beside: limit })];
}
