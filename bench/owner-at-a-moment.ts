/**
 * Who owned a group at a random moment, kind and file alone: beside SQLite over a table of the same
 * intervals, which are asked by turns.
 *
 * @module
 */
import { openLedger, type Ledger } from '../ledger.ts';
import type { Figure } from './figure.ts';
import { passedThrough } from './host/hardware.ts';
import { Random } from './host/random.ts';
import { type Measurement, measurement, percentile } from './measurement.ts';
import { IntervalTable } from './peers/intervals.ts';
import { countText } from './report.ts';

/** How many times as long as the peer takes. */
const TARGET = 2;
/** Of the median, from the shortest log to the longest. */
const GROWTH = 1.1;
/** Of ms, for 99 of 100 questions. */
const LIMIT = 1;
/** Rounds that do not count, and in which every segment is asked. */
const WARM_UP = 2;

export const ownerAtAMoment: Figure = async ({ logs, lengths, effort }) => {
  const taken: Measurement[] = [];
  const medians: number[][] = [];
  for (const events of lengths) {
    const { path } = await logs.at(events);
    const ledger = await openLedger(path);
    const rounds = askBoth(ledger, events, effort);
    await ledger.close();
    const figure = "a group's owner without holders";
    const of = (percent: number, who: 'ours' | 'peer') =>
      rounds.map((round) => percentile(round[who], percent));
    const beside = { name: 'SQLite over a table of intervals', peer: of(50, 'peer') };
    const [p50, p99] = [of(50, 'ours'), of(99, 'ours')];
    const common = { events, unit: 'ms' } as const;
    taken.push(
      measurement({ ...common, figure: `${figure}, p50`, ours: p50, beside, target: TARGET }),
      measurement({ ...common, figure: `${figure}, p99`, ours: p99, beside: LIMIT }),
    );
    medians.push(p50);
    const [shortest] = lengths;
    if (events === shortest || shortest === undefined) continue;
    const times = p50.map((of, round) => of / (medians[0]?.[round] ?? Number.NaN));
    const multiple = `${figure}, p50, as a multiple of that at ${countText(shortest)}`;
    taken.push(measurement({ figure: multiple, events, unit: 'x', ours: times, beside: GROWTH }));
  }
  return taken;
};

/** The ms that each question took, by rounds. Throws if the two answer differently. */
function askBoth(
  ledger: Ledger,
  events: number,
  effort: { longRounds: number; questions: number },
) {
  const groups = [...new Set(passedThrough.map(({ group }) => group))].filter((group) =>
    ledger
      .at('end')
      .table()
      .groups.some((row) => row.group === group),
  );
  const table = new IntervalTable(groups.flatMap((group) => ledger.history(group)));
  const rounds: { readonly ours: number[]; readonly peer: number[] }[] = [];
  for (let round = -WARM_UP; round < effort.longRounds; round++) {
    const random = new Random(round + WARM_UP + 1);
    const spent = { ours: [] as number[], peer: [] as number[] };
    for (let count = 0; count < effort.questions; count++) {
      const [group, position] = [random.pick(groups), random.below(events)];
      const start = performance.now();
      const ours = ledger.at(position).owner(group);
      const between = performance.now();
      const peer = table.ownerAt(group, position);
      spent.peer.push(performance.now() - between);
      spent.ours.push(between - start);
      if (ours.kind !== peer.kind || ours.file !== peer.file) {
        throw new Error(
          `group ${group} at ${position}: ${ours.kind}, and ${peer.kind} to the peer`,
        );
      }
    }
    if (round >= 0) rounds.push(spent);
  }
  table.close();
  return rounds;
}
