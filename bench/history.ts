/**
 * What is appended: the events of a host, one after the other, without end.
 *
 * @module
 */
import type { LedgerEvent } from '../events/vocabulary.ts';
import { entryOf, type Row, rowOf } from '../log/row.ts';
import { openSqliteStore } from '../log/sqlite.ts';
import { type HostKind, historyOf } from './hosts.ts';
import { HOST } from './logs.ts';

/** An event, and the row that it becomes when it is appended in its turn. */
export interface Item {
  readonly event: LedgerEvent;
  readonly row: Row;
}

type Items = Iterator<Item>;

/** Events as rows, the first of which follows on the hash. */
function* rowsOf(events: Iterable<LedgerEvent>, previous: string): Generator<Item> {
  let position = 0;
  let hash = previous;
  for (const event of events) {
    const row = rowOf(entryOf(event), position++, hash);
    hash = row[6];
    yield { event, row };
  }
}

/** The next so many of them. */
export function take(items: Items, count: number): readonly Item[] {
  const taken: Item[] = [];
  while (taken.length < count) {
    const { value, done } = items.next();
    if (done === true) throw new RangeError('the history has ended');
    taken.push(value);
  }
  return taken;
}

/** The events of a host as rows, the first of which follows on the hash. */
export async function itemsAfter(kind: HostKind, previous: string): Promise<Items> {
  return rowsOf(await historyOf(kind, Infinity), previous);
}

/** Writes a log of so many events; gives the position of its head, and what is to come after it. */
export async function begin(path: string, kind: HostKind, count = 20_000) {
  const store = openSqliteStore(path);
  const items = await itemsAfter(kind, (await store.head(HOST)).hash);
  const events = take(items, count).map(({ event }) => event);
  const { head } = await store.append(HOST, -1, events);
  await store.close();
  return { position: head.position, items };
}
