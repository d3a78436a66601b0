/**
 * The order in which sequences are asked: what puts most to the test comes first.
 *
 * @module
 */
import type { Sequence } from '../../host/simulation.ts';

/** Something that a sequence puts to the test; how much it counts for while it is new. */
export type News = ReadonlyMap<string, number>;

/**
 * Sequences reordered: always the one next that is worth most an operation, counting what none
 * before it has put to the test. Sequences without anything new are left out.
 */
export function inOrderOfNews(
  sequences: readonly Sequence[],
  newsOf: (sequence: Sequence) => News,
): Sequence[] {
  const met = new Set<string>();
  const rateOf = ({ sequence, news }: { sequence: Sequence; news: News }): number => {
    let worth = 0;
    for (const [item, weight] of news) if (!met.has(item)) worth += weight;
    return worth / sequence.operations.length;
  };
  // What a sequence is worth only falls: a rate that was worked out earlier is as high as it gets.
  let left = sequences
    .map((sequence) => ({ sequence, news: newsOf(sequence) }))
    .map((candidate) => ({ ...candidate, rate: rateOf(candidate) }));
  const ordered: Sequence[] = [];
  for (;;) {
    let best: (typeof left)[number] | null = null;
    for (const candidate of left) {
      if (best !== null && candidate.rate <= best.rate) continue;
      candidate.rate = rateOf(candidate);
      if (candidate.rate > (best?.rate ?? 0)) best = candidate;
    }
    if (best === null) return ordered;
    for (const item of best.news.keys()) met.add(item);
    ordered.push(best.sequence);
    const taken = best;
    left = left.filter((candidate) => candidate !== taken);
  }
}
