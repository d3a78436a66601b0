/**
 * What an answer costs as a log grows: a question here, a replay elsewhere.
 *
 * @module
 */
import type { Series } from './chart.ts';
import { seconds } from './contest.ts';
import type { Run } from './figure.ts';
import { foldLines } from './peers/json-lines.ts';
import { foldRows } from './peers/sqlite-rows.ts';
import { askAt } from './point-questions.ts';
import type { QuestionKind } from './questions.ts';

const SHORTEST = 1000;

/** Every power of ten from a thousand to the longest log; costs are medians, in ms. */
export async function costByLength(run: Run): Promise<Series[]> {
  const longest = run.lengths.at(-1) ?? SHORTEST;
  const lengths: number[] = [];
  for (let length = SHORTEST; length <= longest; length *= 10) lengths.push(length);
  const series = async (
    name: string,
    cost: (length: number) => Promise<number>,
  ): Promise<Series> => {
    const points: (readonly [number, number])[] = [];
    for (const length of lengths) points.push([length, await cost(length)]);
    return { name, points };
  };
  const asked = (kind: QuestionKind) => async (length: number) =>
    middle((await askAt(run, length, kind)).map(({ p50 }) => p50));
  return [
    await series('replay of rows of node:sqlite', async (length) => {
      const { path } = await run.logs.at(length);
      return replayed(run, () => foldRows(path));
    }),
    await series('replay of JSON lines', async (length) => {
      const path = await run.logs.lines(length);
      return replayed(run, () => foldLines(path));
    }),
    await series('vfio-ledger: the table', asked('table')),
    await series('vfio-ledger: why', asked('why')),
    await series('vfio-ledger: an owner', asked('owner')),
  ];
}

async function replayed(run: Run, replay: () => unknown): Promise<number> {
  const spent: number[] = [];
  for (let round = 0; round < run.effort.longRounds; round++) {
    spent.push((await seconds(replay)) * 1000);
  }
  return middle(spent);
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
