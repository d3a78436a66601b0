/**
 * The streams that a file has rows of. SQLite keeps texts that are no name of a host (with NUL, or broken
 * UTF-8), and as strings two of them could be equal: so the names are walked as bytes.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isStreamName } from './row.ts';
import { BY_POSITION } from './sqlite-format.ts';

/** The name of a stream, as it is stored. */
interface StoredName {
  readonly name: string;
  /** False: no host can have this name, so vfio-ledger has not written these rows. */
  readonly isHost: boolean;
}

/** A stream with rows in a file. */
interface StoredStream extends StoredName {
  /** The first position of the stream in the file. */
  readonly first: number;
}

/** Finds the first stream from a name on. DISTINCT would read every event, and min() the other tree. */
export function nextStream(db: DatabaseSync): StatementSync {
  return db.prepare(
    `SELECT CAST(stream AS BLOB) AS name, position AS first FROM events ${BY_POSITION}
     WHERE stream >= CAST(? AS TEXT) ORDER BY stream, position LIMIT 1`,
  );
}

/** The streams in order of name. `next` finds the first one from a name on, as `nextStream` does. */
export function* storedStreams(next: StatementSync): Generator<StoredStream> {
  for (let from: string | Uint8Array = ''; ;) {
    const row = next.get(from) as { name: Uint8Array | null; first: number } | undefined;
    if (row === undefined || row.name === null) return;
    // A damaged tree could loop.
    if (typeof from !== 'string' && Buffer.compare(row.name, from) < 0) return;
    yield { ...storedName(row.name), first: row.first };
    from = Buffer.concat([row.name, Buffer.of(0)]);
  }
}

/** The name of a stream from its bytes. */
export function storedName(bytes: Uint8Array): StoredName {
  const name = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  return { name, isHost: isStreamName(name) && Buffer.compare(Buffer.from(name), bytes) === 0 };
}
