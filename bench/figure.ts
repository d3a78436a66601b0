/**
 * A figure, and how it is taken: ours and its peer by turns in the same run, so that whatever else
 * the machine does meets both. Where there is no peer it is beside a limit.
 *
 * @module
 */

export interface Figure {
  readonly name: string;
  /** What ours is measured beside: a peer, or a limit in operations a second. */
  readonly beside: string | number;
  /** The part of the peer's throughput that ours is to reach. */
  readonly target: number;
  /** Operations in a turn. */
  readonly size: number;
  /** Makes both ready, in a folder of their own. */
  readonly start: (folder: string) => Promise<Contest>;
}

interface Contest {
  /** Makes the next turn ready, which is not timed: the same work for both. */
  readonly turn: () => { readonly ours: () => Promise<void>; readonly peer?: () => void };
  readonly end: () => Promise<void>;
}

/** Of each in a round, which then has its share of what comes now and then, as checkpoints do. */
const TURNS = 10;

export interface Effort {
  /** Rounds that do not count: until then code is compiled and files grow. */
  readonly warmUp: number;
  readonly rounds: number;
}

/** Of the rounds, in operations a second. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Measurement {
  readonly figure: string;
  readonly ours: Spread;
  readonly beside: string;
  readonly peer: Spread;
  /** Of the medians. */
  readonly ratio: number;
  readonly target: number;
  readonly reached: boolean;
}

export async function measure(figure: Figure, folder: string, effort: Effort) {
  const contest = await figure.start(folder);
  const rates: { ours: number; peer: number }[] = [];
  try {
    for (let round = -effort.warmUp; round < effort.rounds; round++) {
      const spent = { ours: 0, peer: 0 };
      for (let count = 0; count < TURNS; count++) {
        const turn = contest.turn();
        spent.ours += await seconds(turn.ours);
        spent.peer += turn.peer ? await seconds(turn.peer) : figure.size / Number(figure.beside);
      }
      const operations = figure.size * TURNS;
      if (round >= 0) rates.push({ ours: operations / spent.ours, peer: operations / spent.peer });
    }
  } finally {
    await contest.end();
  }
  const ours = spreadOf(rates.map((pair) => pair.ours));
  const peer = spreadOf(rates.map((pair) => pair.peer));
  const { name, target } = figure;
  const beside = typeof figure.beside === 'number' ? 'the limit' : figure.beside;
  const ratio = ours.median / peer.median;
  return { figure: name, ours, beside, peer, ratio, target, reached: ratio >= target };
}

async function seconds(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted.at(index) ?? Number.NaN;
  return { median: at(Math.floor(sorted.length / 2)), min: at(0), max: at(-1) };
}
