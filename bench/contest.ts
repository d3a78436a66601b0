/**
 * A figure that is a contest: ours and its peer by turns in the same run, so that whatever else the
 * machine does meets both. Where there is no peer it is beside a limit.
 *
 * @module
 */
import type { Effort, Figure, LogKind, Run } from './figure.ts';
import type { HostKind } from './hosts.ts';
import { type Measurement, measurement } from './measurement.ts';

export interface Contest {
  readonly name: string;
  /** What ours is measured beside: a peer, or a limit in operations a second. */
  readonly beside: string | number;
  /** The part of the peer's throughput that ours is to reach, where that was set. */
  readonly target?: number;
  /** Operations in a turn. */
  readonly size: number;
  /** Whether a turn takes so long that a round is one of them, and a few rounds are enough. */
  readonly isLong?: boolean;
  /** The log, where it is about one. */
  readonly of?: LogKind | { readonly host: HostKind };
  /** Makes both ready, in a folder of their own; null where the peer is not there. */
  readonly start: (folder: string) => Promise<Contestants | null>;
}

interface Turn {
  readonly ours: () => unknown;
  readonly peer?: () => unknown;
}

interface Contestants {
  /** Makes the next turn ready, which is not timed: the same work for both. */
  readonly turn: () => Turn | Promise<Turn>;
  readonly end: () => Promise<void>;
}

/** Of each in a round, which then has its share of what comes now and then, as checkpoints do. */
const TURNS = 10;

export function contests(of: readonly Contest[]): Figure {
  return async (run) => {
    const taken: Measurement[] = [];
    for (const contest of of) {
      const measured = await hold(contest, run);
      if (measured !== null) taken.push(measured);
    }
    return taken;
  };
}

/** Holds a contest; null where the peer is not there. */
export async function hold(contest: Contest, run: Run): Promise<Measurement | null> {
  const contestants = await contest.start(run.folder);
  if (contestants === null) {
    run.leaveOut(String(contest.beside));
    return null;
  }
  const rates = await ratesOf(contest, contestants, run.effort);
  const { name: figure, beside, target, of } = contest;
  const peer = rates.map((pair) => pair.peer);
  return measurement({
    figure,
    ...of,
    unit: '/s',
    ours: rates.map((pair) => pair.ours),
    beside: typeof beside === 'number' ? beside : { name: beside, peer },
    ...(target !== undefined && { target }),
  });
}

/** In operations a second, of each round. */
async function ratesOf(contest: Contest, { turn, end }: Contestants, effort: Effort) {
  const { size, beside, isLong = false } = contest;
  const turns = isLong ? 1 : TURNS;
  const warmUp = isLong ? 0 : effort.warmUp;
  const rounds = isLong ? effort.longRounds : effort.rounds;
  const rates: { ours: number; peer: number }[] = [];
  try {
    for (let round = -warmUp; round < rounds; round++) {
      const spent = { ours: 0, peer: 0 };
      for (let count = 0; count < turns; count++) {
        const { ours, peer } = await turn();
        spent.ours += await seconds(ours);
        spent.peer += peer ? await seconds(peer) : size / Number(beside);
      }
      const operations = size * turns;
      if (round >= 0) rates.push({ ours: operations / spent.ours, peer: operations / spent.peer });
    }
  } finally {
    await end();
  }
  return rates;
}

export async function seconds(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
