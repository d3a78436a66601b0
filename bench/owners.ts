/**
 * The owner of a group at a random position, beside a table of intervals in SQLite.
 *
 * @module
 */
import { join } from 'node:path';
import { inChild } from './children.ts';
import { type Figure, type LogKind, ofEachHost, type Run } from './figure.ts';
import { growth, P99_LIMIT } from './growth.ts';
import { type Measurement, measurement, percentile } from './measurement.ts';

const WHAT = 'the kind and file of an owner at a random position';
/** Of the time of the peer, for the median question. */
const TARGET = 2;
/** Of the median, from the shorter log to the longest. */
const GROWTH = 1.1;

export const owners: Figure = (run) =>
  ofEachHost(run, { long: ['whole'] }, async (lengths, host) => {
    const taken: Measurement[] = [];
    const medians: { readonly events: number; readonly of: readonly number[] }[] = [];
    for (const events of lengths) {
      const rounds = await asked(run, { host, events });
      const p50 = rounds.map(({ ours }) => percentile(ours, 50));
      const p99 = rounds.map(({ ours }) => percentile(ours, 99));
      const peer = rounds.map((round) => percentile(round.peer, 50));
      const beside = { name: 'SQLite over a table of intervals', peer };
      const of = { host, events, unit: 'ms' } as const;
      taken.push(
        measurement({ ...of, figure: `${WHAT}, p50`, ours: p50, beside, target: TARGET }),
        measurement({ ...of, figure: `${WHAT}, p99`, ours: p99, beside: P99_LIMIT }),
      );
      medians.push({ events, of: p50 });
    }
    return [...taken, ...growth({ figure: `${WHAT}, p50`, host, limit: GROWTH }, medians)];
  });

interface Round {
  readonly ours: readonly number[];
  readonly peer: readonly number[];
}

async function asked(run: Run, of: LogKind): Promise<Round[]> {
  const { path } = await run.logs.at(of);
  const { longRounds, questions } = run.effort;
  const intervals = join(run.folder, `${of.host}-${of.events}.db`);
  // In a process of its own: who asks has nothing in memory that this has read.
  inChild('writeIntervals', path, intervals);
  return Array.from({ length: longRounds }, (_, round) => {
    const { values } = inChild('askOwners', path, intervals, questions, round + 1);
    const half = values.length / 2;
    return { ours: values.slice(0, half), peer: values.slice(half) };
  });
}
