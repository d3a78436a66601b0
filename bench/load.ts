/**
 * What a load costs as it grows: to append it to a log, to judge it when the log is first opened, to
 * open the log again, and to answer. All in CPU time, each with its exponent.
 *
 * @module
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Fact, LedgerEvent } from '../events/vocabulary.ts';
import { type Ledger, openLedger } from '../ledger.ts';
import { openSqliteStore } from '../log/sqlite.ts';
import type { Store } from '../log/store.ts';
import { cpuSecondsOf } from './cpu-time.ts';
import type { Figure, Run } from './figure.ts';
import { type Costs, exponents } from './growth.ts';
import { HOST } from './logs.ts';

/** Events in an append. */
const BATCH = 20_000;
/** A question is asked again until so many seconds are spent: one answer may be too short to measure. */
const ENOUGH = 0.2;

export interface Load {
  /** What grows: `living processes`. */
  readonly of: string;
  /** How many of them there are, ascending, in a full run. */
  readonly sizes: readonly number[];
  readonly facts: (size: number) => Iterable<Fact>;
  /** By the words for each. Its answer is made JSON: parts of it are made when they are read. */
  readonly questions: Readonly<Record<string, (ledger: Ledger, size: number) => unknown>>;
}

export function loadFigure({ of, sizes, facts, questions }: Load): Figure {
  return (run) =>
    costsBySize(run, of, sizes, async (size) => {
      const path = join(run.folder, `${size}.ledger`);
      const costs = new Map<string, number>();
      const spend = async (what: string, act: () => Promise<unknown>) => {
        costs.set(what, await cpuSecondsOf(act));
      };
      await spend('append', () => append(path, facts(size)));
      await spend('judge and index', async () => (await openLedger(path)).close());
      const ledger = await openLedger(path);
      await spend('open', async () => (await openLedger(path)).close());
      for (const [what, ask] of Object.entries(questions)) {
        costs.set(what, await meanSeconds(() => JSON.stringify(ask(ledger, size))));
      }
      await ledger.close();
      for (const end of ['', '-wal', '-shm', '.index']) {
        rmSync(path + end, { recursive: true, force: true });
      }
      return costs;
    });
}

/** The costs of a load at some sizes, in some rounds, after the smallest has been measured once in vain. */
export async function costsBySize(
  { effort, progress }: Run,
  of: string,
  full: readonly number[],
  costsOf: (size: number) => Promise<Costs>,
) {
  const sizes = full.map((size) => Math.max(1, Math.round(size * effort.load)));
  const bySize = new Map(sizes.map((size): [number, Costs[]] => [size, []]));
  await costsOf(sizes[0] ?? 1);
  for (let round = 0; round < effort.longRounds; round++) {
    for (const [size, rounds] of bySize) {
      progress(`${size} ${of}`);
      rounds.push(await costsOf(size));
    }
  }
  return exponents(of, bySize);
}

/** Of an act that is done several times if it is short, the first time in vain. */
export async function meanSeconds(act: () => unknown): Promise<number> {
  let [spent, count] = [0, 0];
  await act();
  do {
    spent += await cpuSecondsOf(async () => act());
    count++;
  } while (spent < ENOUGH);
  return spent / count;
}

/** Writes a log of these events, which have no times. */
async function append(path: string, facts: Iterable<Fact>): Promise<void> {
  const store = openSqliteStore(path);
  await appendTo(store, facts, HOST);
  await store.close();
}

/** Appends to the stream of a host that has no events yet. */
export async function appendTo(store: Store, facts: Iterable<Fact>, host: string): Promise<void> {
  let { position } = await store.head(host);
  let batch: LedgerEvent[] = [];
  const flush = async () => {
    ({ position } = (await store.append(host, position, batch)).head);
    batch = [];
  };
  let number = 0;
  for (const fact of facts) {
    batch.push({ ...fact, id: `e${number++}`, time: null } as LedgerEvent);
    if (batch.length === BATCH) await flush();
  }
  if (batch.length > 0) await flush();
}
