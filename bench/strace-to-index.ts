/**
 * From lines of strace to a durable log whose events are judged: all of it, and its parts, beside
 * what only finds where lines end.
 *
 * @module
 */
import { join } from 'node:path';
import { openLedger, readEvidence } from '../ledger.ts';
import { openSqliteStore } from '../log/sqlite.ts';
import { seconds } from './contest.ts';
import type { Figure } from './figure.ts';
import { HOST } from './logs.ts';
import { type Measurement, measurement } from './measurement.ts';
import { chunksOf, splitOf } from './peers/split-lines.ts';
import { straceLines } from './strace-lines.ts';

const MOST = 1_000_000;

interface Trace {
  readonly what: string;
  /** How many of its lines there are to one of VFIO. */
  readonly rare: number;
  /** Whether it becomes so many events that one round is long enough. */
  readonly isLong: boolean;
}

const TRACES: readonly Trace[] = [
  { what: 'strace of every call', rare: 400, isLong: false },
  { what: 'strace of VFIO calls alone', rare: 1, isLong: true },
];

export const straceToIndex: Figure = async (run) => {
  const taken: Measurement[] = [];
  for (const { what, rare, isLong } of TRACES) {
    run.progress(what);
    const count = Math.min(run.lengths[1], MOST);
    const chunks = chunksOf(straceLines(count, rare));
    const rounds: Spent[] = [];
    for (let round = isLong ? 1 : run.effort.longRounds; round > 0; round--) {
      rounds.push(await spentOn(chunks, join(run.folder, `${rare}-${round}`), count));
    }
    const row = { host: 'boot unseen', events: rounds[0]?.events ?? 0, unit: 's' } as const;
    const of = (part: keyof Spent) => rounds.map((spent) => spent[part]);
    const name = `${count} lines, ${what}`;
    const beside = { name: 'a bare split into lines', peer: of('split') };
    taken.push(
      measurement({
        ...row,
        figure: `${name}, to a durable log and its index`,
        ours: of('all'),
        beside,
      }),
      measurement({ ...row, figure: `${name}, lines read`, ours: of('reading') }),
      measurement({ ...row, figure: `${name}, events appended`, ours: of('appending') }),
      measurement({ ...row, figure: `${name}, events judged and indexed`, ours: of('judging') }),
    );
  }
  return taken;
};

/** In seconds; `events` is their number. */
type Spent = Readonly<
  Record<'all' | 'reading' | 'appending' | 'judging' | 'split' | 'events', number>
>;

async function spentOn(chunks: readonly string[], path: string, count: number): Promise<Spent> {
  const sources = [{ name: 'strace', chunks }];
  const all = await seconds(async () => {
    await using ledger = await openLedger(`${path}-all.ledger`);
    await ledger.importSources(sources);
  });
  const split = await seconds(() => {
    if (splitOf(chunks) !== count) throw new Error('not every line was found');
  });
  const parts = `${path}-parts.ledger`;
  let events = 0;
  let reading = 0;
  const began = performance.now();
  const collected = await readEvidence(sources);
  reading = (performance.now() - began) / 1000;
  const store = openSqliteStore(parts);
  let { position } = await store.head(HOST);
  const appending = await seconds(async () => {
    for await (const batch of collected.events.batches()) {
      ({ position } = (await store.append(HOST, position, batch)).head);
      events = position + 1;
    }
  });
  await store.close();
  const judging = await seconds(async () => {
    await using ledger = await openLedger(parts);
    if (ledger.length !== events) throw new Error('not every event was read');
  });
  return { all, reading, appending, judging, split, events };
}
