/**
 * Emmett, in memory and on SQLite, where it is installed: `npm install --prefix bench`.
 *
 * @module
 */
import type { LedgerEvent } from '../../events/vocabulary.ts';
import { batchesOf } from '../hosts.ts';
import { Ownership } from './ownership.ts';

/** What is used of its event stores. */
interface EventStore {
  appendToStream(stream: string, events: readonly LedgerEvent[]): Promise<unknown>;
  aggregateStream(
    stream: string,
    fold: {
      readonly initialState: () => Ownership;
      readonly evolve: (state: Ownership, event: LedgerEvent) => Ownership;
    },
  ): Promise<{ readonly state: Ownership }>;
}

/** Opens a store, in a file of that path where it has one. */
type Open = (path: string) => EventStore;

/** The most that it is asked for: its SQLite store reads a stream as one array. */
export const MOST_EVENTS = 1_000_000;

const STREAM = 'host';
/** Its SQLite store makes one statement of an append, with a variable for each field. */
const BATCH = 1000;

/** Null where it is not installed. */
export async function emmettInMemory(): Promise<Open | null> {
  const found = (await load('@event-driven-io/emmett')) as {
    readonly getInMemoryEventStore: () => EventStore;
  } | null;
  return found && (() => found.getInMemoryEventStore());
}

/** Null where it, or the driver that it needs, is not installed. */
export async function emmettOnSqlite(): Promise<Open | null> {
  const found = (await load('@event-driven-io/emmett-sqlite')) as {
    readonly getSQLiteEventStore: (options: object) => EventStore;
  } | null;
  const schema = { autoMigration: 'CreateOrUpdate' };
  return found && ((fileName) => found.getSQLiteEventStore({ fileName, schema }));
}

/** Appends the first so many events of the host. */
export async function fill(store: EventStore, events: number): Promise<void> {
  for await (const batch of batchesOf('whole', events, BATCH))
    await store.appendToStream(STREAM, batch);
}

export async function foldStream(store: EventStore): Promise<Ownership> {
  let position = 0;
  const { state } = await store.aggregateStream(STREAM, {
    initialState: () => new Ownership(),
    evolve(ownership, event) {
      ownership.take({ ...event, position: position++ });
      return ownership;
    },
  });
  return state;
}

/** A package that is nobody's dependency but the bench's own, and so may not be there. */
async function load(name: string): Promise<unknown> {
  try {
    return await import(name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}
