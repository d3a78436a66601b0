/**
 * The least that a check of a log does: every row is read, its hash computed and its data parsed.
 *
 * @module
 */
import { DatabaseSync } from 'node:sqlite';
import { genesisOf, hashOf } from '../../log/hash.ts';
import { HOST } from '../logs.ts';

interface HashedRow {
  readonly position: number;
  readonly time: string | null;
  readonly id: string;
  readonly schema: number;
  readonly type: string;
  readonly data: string;
  readonly hash: string;
}

const COLUMNS = 'position, time, id, schema, type, data, hash';

/** Returns how many rows there are. Throws `Error` at the first whose hash is another. */
export function checkRows(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db
    .prepare(`SELECT ${COLUMNS} FROM events WHERE stream = ? ORDER BY position`)
    .iterate(HOST) as unknown as Iterable<HashedRow>;
  let count = 0;
  let previous = genesisOf(HOST);
  for (const { position, time, id, schema, type, data, hash } of rows) {
    previous = hashOf(previous, position, time, id, schema, type, data);
    if (previous !== hash) throw new Error(`another hash at position ${position} of ${path}`);
    JSON.parse(data);
    count++;
  }
  db.close();
  return count;
}
