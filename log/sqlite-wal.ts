/**
 * Whether a `-wal` belongs to the log beside it, and is all there. SQLite itself takes any `-wal` with
 * right checksums: also an older one, or that of another log.
 *
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import { connect } from './sqlite-connection.ts';
import { codeOf, isDamage } from './sqlite-errors.ts';
import { BY_POSITION } from './sqlite-format.ts';
import { CorruptLogError, type Head } from './store.ts';
import { nextStream, storedStreams } from './stream-names.ts';
import { lostCommits } from './wal-frames.ts';

/**
 * Throws `CorruptLogError` if the -wal of a log has transactions that cannot be read, or if the file
 * alone has events that are gone when it is read together with the -wal, as `db` reads it.
 */
export function checkWal(db: DatabaseSync, path: string, wal: string): void {
  const lost = lostIn(wal);
  if (lost > 0) {
    const what = lost === Infinity ? 'all transactions' : `${lost} transactions`;
    throw new CorruptLogError(
      null,
      `${path}-wal was changed: ${what} in it cannot be read any more`,
    );
  }
  const hashAt = db.prepare(
    `SELECT hash FROM events ${BY_POSITION} WHERE stream = ? AND position = ?`,
  );
  for (const { stream, position, hash } of headsWithoutWal(path)) {
    if (hashAt.get(stream, position)?.['hash'] === hash) continue;
    const event = `event ${position} of '${stream}'`;
    throw new CorruptLogError(null, `${path}-wal is not that of ${path}, which has ${event}`);
  }
}

/** As `lostCommits`; 0 if the -wal was merged into the log meanwhile. */
function lostIn(wal: string): number {
  try {
    return lostCommits(wal);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

type StreamHead = Head & { readonly stream: string };

/** The heads in the file alone. While a -wal is merged into it, it may not be readable: then not all. */
function headsWithoutWal(path: string): StreamHead[] {
  const db = connect(path, { mode: 'ro', immutable: '1' });
  const heads: StreamHead[] = [];
  try {
    const last = db.prepare(
      `SELECT position, hash FROM events ${BY_POSITION} WHERE stream = ?
       ORDER BY position DESC LIMIT 1`,
    );
    for (const { name: stream } of storedStreams(nextStream(db))) {
      const head = last.get(stream) as Head | undefined;
      if (head !== undefined) heads.push({ ...head, stream });
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
  } finally {
    db.close();
  }
  return heads;
}
