/**
 * Replay of the rows of a log's own file, with nothing verified.
 *
 * @module
 */
import { DatabaseSync } from 'node:sqlite';
import type { LedgerEvent, Placed } from '../../events/vocabulary.ts';
import { Ownership } from './ownership.ts';

interface EventRow {
  readonly position: number;
  readonly id: string;
  readonly time: string;
  readonly type: string;
  readonly data: string;
}

export function foldRows(path: string): Ownership {
  const ownership = new Ownership();
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db
    .prepare('SELECT position, id, time, type, data FROM events WHERE stream = ? ORDER BY position')
    .iterate('host') as unknown as Iterable<EventRow>;
  for (const row of rows) {
    ownership.take({ ...row, data: JSON.parse(row.data) } as unknown as Placed<LedgerEvent>);
  }
  db.close();
  return ownership;
}
