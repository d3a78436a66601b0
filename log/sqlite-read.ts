/**
 * Reading a log file: rows in batches, each event verified before it is handed out.
 *
 * @module
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { recordedOf, type Row } from './row.ts';
import { isDamage, logError } from './sqlite-errors.ts';
import { CorruptLogError, GENESIS, type Head, type RecordedEvent } from './store.ts';

const BATCH_SIZE = 1024;

const COLUMNS = 'position, time, id, schema, type, data, hash';

/** The questions that are put to a log file. `path` is for the messages. */
export interface Queries {
  readonly path: string;
  readonly head: StatementSync;
  readonly hash: StatementSync;
  readonly forwards: StatementSync;
  readonly backwards: StatementSync;
  readonly streams: StatementSync;
}

export function prepareQueries(db: DatabaseSync, path: string): Queries {
  const queries = {
    path,
    head: db.prepare(
      'SELECT position, hash FROM events WHERE stream = ? ORDER BY position DESC LIMIT 1',
    ),
    hash: db.prepare('SELECT hash FROM events WHERE stream = ? AND position = ?'),
    forwards: db.prepare(
      `SELECT ${COLUMNS} FROM events WHERE stream = ? AND position BETWEEN ? AND ?
       ORDER BY position LIMIT ?`,
    ),
    backwards: db.prepare(
      `SELECT ${COLUMNS} FROM events WHERE stream = ? AND position BETWEEN ? AND ?
       ORDER BY position DESC LIMIT ?`,
    ),
    // DISTINCT would walk through every event.
    streams: db.prepare(
      `WITH RECURSIVE names(name) AS (
         SELECT min(stream) FROM events
         UNION ALL
         SELECT (SELECT min(stream) FROM events WHERE stream > name) FROM names
         WHERE name IS NOT NULL)
       SELECT name FROM names WHERE name IS NOT NULL`,
    ),
  };
  // Half the time of rows as objects (measured).
  queries.forwards.setReturnArrays(true);
  queries.backwards.setReturnArrays(true);
  return queries;
}

export function headOf(queries: Queries, stream: string): Head {
  const head = queries.head.get(stream) as Head | undefined;
  return { position: head?.position ?? -1, hash: head?.hash ?? GENESIS };
}

/** Events in order of reading, up to the first that cannot be had; `fault` is why, if so. */
export interface Batch {
  readonly events: readonly RecordedEvent[];
  readonly fault: unknown;
}

/** The batch from position `from` on; `last` is the last position to be read at all. */
export function batchForwards(queries: Queries, stream: string, from: number, last: number): Batch {
  const events: RecordedEvent[] = [];
  try {
    let previous = from === 0 ? GENESIS : hashAt(queries, stream, from - 1);
    const { rows, fault } = fetch(queries.forwards, stream, from, last, BATCH_SIZE);
    for (const row of rows) {
      const event = recordedOf(row, from + events.length, previous);
      events.push(event);
      previous = event.hash;
    }
    if (fault !== undefined) throw fault;
    if (rows.length === 0) throw new CorruptLogError(from, 'no event here');
    return { events, fault };
  } catch (error) {
    return { events, fault: logError(queries.path, error, from + events.length) };
  }
}

/** The batch from position `from` down to 0. */
export function batchBackwards(queries: Queries, stream: string, from: number): Batch {
  const events: RecordedEvent[] = [];
  try {
    // One more than are handed out, for the hash that the last of them follows.
    const { rows, fault } = fetch(queries.backwards, stream, 0, from, BATCH_SIZE + 1);
    for (let position = from; events.length < BATCH_SIZE && position >= 0; position--) {
      const row = rows[events.length];
      const before = rows[events.length + 1];
      if (row === undefined) throw fault ?? new CorruptLogError(position, 'no event here');
      if (position > 0 && before?.[0] !== position - 1 && row[0] === position) {
        throw fault ?? new CorruptLogError(position - 1, 'no event here');
      }
      events.push(recordedOf(row, position, before?.[6] ?? GENESIS));
    }
    return { events, fault: undefined };
  } catch (error) {
    return { events, fault: logError(queries.path, error, from - events.length) };
  }
}

function hashAt(queries: Queries, stream: string, position: number): string {
  const row = queries.hash.get(stream, position) as { hash: string } | undefined;
  if (row === undefined) throw new CorruptLogError(position, 'no event here');
  return row.hash;
}

/** The rows, and what kept the rest of them from being read. */
function fetch(
  statement: StatementSync,
  ...parameters: SQLInputValue[]
): { rows: readonly Row[]; fault: unknown } {
  try {
    return { rows: statement.all(...parameters) as unknown as Row[], fault: undefined };
  } catch (error) {
    if (!isDamage(error)) throw error;
    return fetchOneByOne(statement, ...parameters);
  }
}

/** Slower than all at once, but gets what lies before the damage. */
function fetchOneByOne(
  statement: StatementSync,
  ...parameters: SQLInputValue[]
): { rows: readonly Row[]; fault: unknown } {
  const rows: Row[] = [];
  try {
    for (const row of statement.iterate(...parameters)) rows.push(row as unknown as Row);
    return { rows, fault: undefined };
  } catch (fault) {
    return { rows, fault };
  }
}
