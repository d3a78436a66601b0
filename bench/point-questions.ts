/**
 * Questions at random positions of a long log, warm: how long they take, and how that grows.
 *
 * @module
 */
import { inChild } from './children.ts';
import type { Figure, Run } from './figure.ts';
import { type Measurement, measurement, percentile } from './measurement.ts';
import type { QuestionKind } from './questions.ts';
import { countText } from './report.ts';

/** Of ms, for 99 of 100 questions. */
const LIMIT = 1;
/** Of the median, from the shortest log to the longest. */
const GROWTH = 1.2;

const KINDS: Readonly<Record<Exclude<QuestionKind, 'who'>, string>> = {
  table: 'the table at a random position',
  owner: "a group's owner at a random position",
  why: 'why an attempt was refused',
};

export const pointQuestions: Figure = async (run) => {
  const taken: Measurement[] = [];
  for (const kind of Object.keys(KINDS) as (keyof typeof KINDS)[]) {
    const medians: { readonly events: number; readonly of: readonly number[] }[] = [];
    for (const events of run.lengths) {
      const rounds = await askAt(run, events, kind);
      medians.push({ events, of: rounds.map(({ p50 }) => p50) });
      taken.push(...describe(KINDS[kind], events, rounds));
    }
    taken.push(...growth(KINDS[kind], medians));
  }
  return taken;
};

interface Round {
  readonly p50: number;
  readonly p99: number;
}

export async function askAt(run: Run, events: number, kind: QuestionKind): Promise<Round[]> {
  const { path } = await run.logs.at(events);
  const { longRounds, questions } = run.effort;
  return Array.from({ length: longRounds }, (_, round) => {
    const { values } = inChild('ask', path, kind, questions, round + 1);
    return { p50: percentile(values, 50), p99: percentile(values, 99) };
  });
}

function describe(what: string, events: number, rounds: readonly Round[]): Measurement[] {
  const p50 = rounds.map((round) => round.p50);
  const p99 = rounds.map((round) => round.p99);
  return [
    measurement({ figure: `${what}, p50`, events, unit: 'ms', ours: p50 }),
    measurement({ figure: `${what}, p99`, events, unit: 'ms', ours: p99, beside: LIMIT }),
  ];
}

/** How many times as long the median question takes on the longest log as on the shortest. */
function growth(
  what: string,
  medians: readonly { readonly events: number; readonly of: readonly number[] }[],
): Measurement[] {
  const [shortest] = medians;
  const longest = medians.at(-1);
  if (shortest === undefined || longest === undefined || shortest === longest) return [];
  const times = longest.of.map((p50, round) => p50 / (shortest.of[round] ?? Number.NaN));
  const from = `${what}, p50, as a multiple of that at ${countText(shortest.events)}`;
  const { events } = longest;
  return [measurement({ figure: from, events, unit: 'x', ours: times, beside: GROWTH })];
}
