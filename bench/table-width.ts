/**
 * The table of a wide host: how long it takes, and how that grows with the processes that hold files.
 *
 * @module
 */
import type { Fact } from '../events/vocabulary.ts';
import { HostAtMoment } from '../projections/moment.ts';
import { Timeline } from '../projections/timeline.ts';
import type { Figure, Run } from './figure.ts';
import { P99_LIMIT } from './growth.ts';
import { Random } from './host/random.ts';
import { type Measurement, measurement, percentile } from './measurement.ts';
import { elapsed } from './questions.ts';
import { ownersOf, placed, wideHost } from './wide-host.ts';

const GROUPS = 40;
/** Processes that have the files of the owners open. */
const [FEW, MANY] = [1000, 4000];
/** The exponent of the time in processes. */
const GROWTH = 1;
/** Processes that are forked later and exit at once, so that there are moments to ask about. */
const PASSING = 1000;
/** Tables of a round, at most, where they have many processes: those take long. */
const MOST = 200;
/** Asked before any that count, of each that does. */
const WARM_UP = 0.5;
const FIRST_CHILD = 100_000;

export const tableWidth: Figure = async (run) => {
  const narrow = tablesOf(run, 0).map((round) => percentile(round, 99));
  const [few, many] = [FEW, MANY].map((processes) =>
    tablesOf(run, processes).map((round) => percentile(round, 50)),
  ) as [number[], number[]];
  const ours = many.map((spent, round) => spent / (few[round] ?? Number.NaN));
  const what = `the table of ${GROUPS} groups`;
  const row = (figure: string) => ({ figure: `${what}, ${figure}`, unit: 'ms' }) as const;
  const rows: Measurement[] = [
    measurement({ ...row('p99'), ours: narrow, beside: P99_LIMIT }),
    measurement({ ...row(`${FEW} processes hold files, p50`), ours: few }),
    measurement({ ...row(`${MANY} processes hold files, p50`), ours: many }),
    measurement({
      figure: `${what}, ${MANY} processes hold files, as a multiple of that with ${FEW}`,
      unit: 'x',
      ours,
      beside: (MANY / FEW) ** GROWTH,
    }),
  ];
  return rows;
};

/** Of each round the times of tables at random moments, in ms. */
function tablesOf({ effort }: Run, processes: number): number[][] {
  const timeline = new Timeline();
  const host: Fact[] = wideHost({ groups: GROUPS, devices: GROUPS, processes: GROUPS });
  const events = placed([...host, ...helpersOf(processes), ...passing()]);
  for (const event of events) timeline.take(event);
  timeline.settle();
  const asked = processes > 0 ? Math.min(effort.questions, MOST) : effort.questions;
  const before = host.length + processes;
  return Array.from({ length: effort.longRounds }, (_, round) => {
    const random = new Random(round + 1);
    const table = () => {
      const position = random.between(before, events.length - 1);
      return elapsed(() => new HostAtMoment(timeline, position).table());
    };
    for (let warm = asked * WARM_UP; warm > 0; warm--) table();
    return Array.from({ length: asked }, table);
  });
}

/** So many processes, each forked by an owner, whose files it has from then on. */
function helpersOf(processes: number, first = FIRST_CHILD): Fact[] {
  const owners = ownersOf(GROUPS);
  return Array.from({ length: processes }, (_, index) => {
    const pid = owners[index % owners.length] ?? 0;
    return { type: 'process.forked', data: { pid, child: first + index, comm: 'helper' } };
  });
}

function passing(): Fact[] {
  return helpersOf(PASSING, FIRST_CHILD + MANY).flatMap((forked, index) => {
    const pid = FIRST_CHILD + MANY + index;
    return [forked, { type: 'process.exited', data: { pid, signal: null } }];
  });
}
