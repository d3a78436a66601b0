/**
 * How the time of an answer grows with the log or another load, and what it may be at all.
 *
 * @module
 */
import type { HostKind } from './hosts.ts';
import { type Measurement, measurement } from './measurement.ts';
import { countText } from './report.ts';

/** Of ms, for 99 of 100 questions. */
export const P99_LIMIT = 1;
/** The exponent that nothing may exceed as its load grows. */
const MOST_EXPONENT = 1.1;

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

/** What each act took, in seconds. */
export type Costs = ReadonlyMap<string, number>;

/** Of each act what it takes at each size, and the exponent of that. `rounds` are by size, ascending. */
export function exponents(
  of: string,
  rounds: ReadonlyMap<number, readonly Costs[]>,
): Measurement[] {
  const sizes = [...rounds.keys()];
  const [first] = rounds.values();
  const acts = [...(first?.[0]?.keys() ?? [])];
  return acts.flatMap((act) => {
    const spent = [...rounds.values()].map((all) => all.map((costs) => costs.get(act) ?? NaN));
    const rows = sizes.map((size, at) =>
      measurement({
        figure: `${act}, ${countText(size)} ${of}`,
        unit: 'ms',
        ours: (spent[at] ?? []).map((seconds) => seconds * 1000),
      }),
    );
    const ours = (first ?? []).map((_, round) =>
      slope(
        sizes,
        spent.map((all) => all[round] ?? NaN),
      ),
    );
    const figure = `${act}, exponent in ${of}`;
    return [...rows, measurement({ figure, unit: '', ours, beside: MOST_EXPONENT })];
  });
}

/** The exponent of the power of the sizes that fits the values best, by least squares of logarithms. */
function slope(sizes: readonly number[], values: readonly number[]): number {
  const [xs, ys] = [sizes.map(Math.log), values.map(Math.log)];
  const mean = (of: readonly number[]) => of.reduce((sum, one) => sum + one, 0) / of.length;
  const [x, y] = [mean(xs), mean(ys)];
  const over = xs.map((at, index) => (at - x) * ((ys[index] ?? NaN) - y));
  return mean(over) / mean(xs.map((at) => (at - x) ** 2));
}
