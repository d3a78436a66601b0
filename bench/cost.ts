/**
 * What an answer costs as a log grows: a question here, a replay elsewhere.
 *
 * @module
 */
import type { Series } from './chart.ts';
import { seconds } from './contest.ts';
import type { LogKind, Run } from './figure.ts';
import { type HostKind, hostKinds } from './hosts.ts';
import { foldLines } from './peers/json-lines.ts';
import { foldRows } from './peers/sqlite-rows.ts';
import { percentile } from './measurement.ts';
import { askAt } from './point-questions.ts';
import type { QuestionKind } from './questions.ts';

const SHORTEST = 1000;

const ASKED: Readonly<Partial<Record<QuestionKind, string>>> = {
  table: 'the table',
  why: 'why',
  cause: 'cause',
  group: 'who',
};
const LINES: Readonly<Record<HostKind, Series['line']>> = {
  whole: 'solid',
  'boot unseen': 'dashed',
  'short boots': 'dotted',
};

/** Every power of ten from a thousand to the longest log; costs in ms, of questions the medians. */
export async function costByLength(run: Run): Promise<Series[]> {
  const series = async (
    name: string,
    host: HostKind,
    cost: (of: LogKind) => Promise<number>,
  ): Promise<Series> => {
    const points: (readonly [number, number])[] = [];
    for (const events of lengthsOf(run, host)) points.push([events, await cost({ host, events })]);
    return { name, line: LINES[host], points };
  };
  const taken = [
    await series('replay of rows of node:sqlite', 'whole', async (of) => {
      const { path } = await run.logs.at(of);
      return milliseconds(() => foldRows(path));
    }),
    await series('replay of JSON lines', 'whole', async ({ events }) => {
      const path = await run.logs.lines(events);
      return milliseconds(() => foldLines(path));
    }),
  ];
  for (const [kind, name] of Object.entries(ASKED) as [QuestionKind, string][]) {
    for (const host of hostKinds) {
      run.progress(`${name}, ${host}`);
      const asked = async (of: LogKind) =>
        middle((await askAt(run, of, kind)).map((round) => percentile(round, 50)));
      taken.push(await series(`vfio-ledger: ${name}`, host, asked));
    }
  }
  return taken;
}

function lengthsOf({ lengths: [shorter, longest] }: Run, host: HostKind): number[] {
  const most = host === 'whole' ? longest : shorter;
  const lengths: number[] = [];
  for (let length = SHORTEST; length <= most; length *= 10) lengths.push(length);
  return lengths;
}

async function milliseconds(work: () => unknown): Promise<number> {
  return (await seconds(work)) * 1000;
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
