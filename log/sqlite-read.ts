/**
 * Reads events of a volume in batches and verifies each before it is returned.
 *
 * @module
 */
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { recordedOf, type Row } from './row.ts';
import { isDamage, logError } from './sqlite-errors.ts';
import type { Volume } from './sqlite-volume.ts';
import { CorruptLogError, type RecordedEvent } from './store.ts';

/** Events in a batch, at most. */
export const BATCH_SIZE = 1024;

/** Events in order of reading, up to the first that cannot be read. `fault`: the reason, if any. */
export interface Batch {
  readonly events: readonly RecordedEvent[];
  readonly fault: unknown;
}

/** A batch with the rows of its events. */
interface RowBatch extends Batch {
  readonly rows: readonly Row[];
}

/** Reads a batch from position `from` on, up to position `last` at most. */
export function batchForwards(
  volume: Volume,
  stream: string,
  from: number,
  last: number,
): RowBatch {
  const events: RecordedEvent[] = [];
  let found: readonly Row[] = [];
  try {
    const before = volume.before(stream);
    // The event before `from` is read, too, for its hash: a query of its own takes twice as long.
    const along = from - 1 === before.position ? 0 : 1;
    const { rows: all, fault } = fetch(
      volume.forwards,
      stream,
      from - along,
      last,
      BATCH_SIZE + along,
    );
    const [head] = all;
    if (along === 1 && head?.[0] !== from - 1) {
      throw fault ?? new CorruptLogError(from - 1, 'no event here');
    }
    let previous = along === 1 && head !== undefined ? head[6] : before.hash;
    const rows = all.slice(along);
    found = rows;
    for (const row of rows) {
      const event = recordedOf(row, from + events.length, previous);
      events.push(event);
      previous = event.hash;
    }
    if (fault !== undefined) throw fault;
    if (rows.length === 0) throw new CorruptLogError(from, 'no event here');
    return { events, rows, fault };
  } catch (error) {
    const rows = found.slice(0, events.length);
    return { events, rows, fault: logError(volume.path, error, from + events.length) };
  }
}

/** Reads a batch backwards from position `from`, down to the first event of the volume at most. */
export function batchBackwards(volume: Volume, stream: string, from: number): Batch {
  const events: RecordedEvent[] = [];
  try {
    const { position: before, hash } = volume.before(stream);
    // One more than are returned, for the hash before the last of them.
    const { rows, fault } = fetch(volume.backwards, stream, before + 1, from, BATCH_SIZE + 1);
    for (let position = from; events.length < BATCH_SIZE && position > before; position--) {
      const row = rows[events.length];
      const next = rows[events.length + 1];
      if (row === undefined) throw fault ?? new CorruptLogError(position, 'no event here');
      if (position - 1 > before && next?.[0] !== position - 1 && row[0] === position) {
        throw fault ?? new CorruptLogError(position - 1, 'no event here');
      }
      events.push(recordedOf(row, position, next?.[6] ?? hash));
    }
    return { events, fault: undefined };
  } catch (error) {
    return { events, fault: logError(volume.path, error, from - events.length) };
  }
}

/** Reads the events at positions of the volume, which ascend. */
export function batchAt(volume: Volume, stream: string, positions: readonly number[]): Batch {
  const events: RecordedEvent[] = [];
  const next = () => positions[events.length] ?? Number.NaN;
  try {
    const before = volume.before(stream);
    const { rows, fault } = fetch(volume.listed, stream, JSON.stringify(positions));
    for (const row of rows) {
      const position = next();
      // Behind the columns of a row stands the hash before it; null if there is no event before.
      const [, , , , , , , hash = null] = row as readonly (string | number | null)[];
      const previous = position - 1 === before.position ? before.hash : hash;
      if (typeof previous !== 'string') throw new CorruptLogError(position - 1, 'no event here');
      events.push(recordedOf(row, position, previous));
    }
    if (fault !== undefined) throw fault;
    if (events.length < positions.length) throw new CorruptLogError(next(), 'no event here');
    return { events, fault };
  } catch (error) {
    return { events, fault: logError(volume.path, error, next()) };
  }
}

/** The rows of a query, and the damage after which no more could be read. */
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

/** Slower than `all()`, but returns the rows before the damage. */
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
