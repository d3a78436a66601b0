/**
 * Inserts events into the newest volume of a log, within a transaction.
 *
 * @module
 */
import type { StatementSync } from 'node:sqlite';
import { LedgerError } from '../events/ledger-error.ts';
import { alreadyThere } from './engine.ts';
import { type Entry, headOfRow, isSameHead, type Row, rowOf } from './row.ts';
import { ForeignWatch } from './sqlite-foreign.ts';
import type { Volume } from './sqlite-volume.ts';
import {
  type AppendResult,
  type Head,
  RevisionConflictError,
  StoreUnavailableError,
} from './store.ts';

/** The volume that is written to, and what is needed for that. */
interface Writing {
  readonly volume: Volume;
  readonly insert: StatementSync;
  readonly foreign: ForeignWatch;
}

/** A transaction: the volume it writes to, the older ones, and the heads so far. */
export interface Commit {
  readonly volume: Volume;
  readonly older: readonly Volume[];
  readonly heads: Map<string, Head>;
}

/** What inserts: it prepares statements once for each volume. */
export class Inserting {
  #writing: Writing | null = null;

  /** Throws `ForeignContentError`, or `StoreUnavailableError` if what is written would not be in the log. */
  checkMayWrite(volume: Volume): void {
    this.#writingTo(volume).foreign.check();
    if (volume.state === 'same') return;
    throw new StoreUnavailableError(
      `nothing is written to ${volume.path}: it was moved or replaced while it was open`,
    );
  }

  /** Appends the entries that are not in the stream yet. Returns the conflict, if there is one. */
  entries(
    { volume, older, heads }: Commit,
    stream: string,
    expected: number,
    entries: readonly Entry[],
  ): AppendResult | LedgerError {
    const isOld = (id: string) => older.some((sealed) => sealed.holds(stream, id));
    let head = heads.get(stream) ?? volume.head(stream);
    if (head.position !== expected) {
      const known = entries.every(({ id }) => volume.holds(stream, id) || isOld(id));
      return known
        ? { head, appended: 0 }
        : new RevisionConflictError(stream, expected, head.position);
    }
    for (const entry of entries) {
      if (isOld(entry.id)) continue;
      const row = rowOf(entry, head.position + 1, head.hash);
      if (this.#insert(volume, stream, row)) head = headOfRow(row);
    }
    heads.set(stream, head);
    return { head, appended: head.position - expected };
  }

  /** Appends rows as they are. Returns the error that `Engine.append` would reject with. */
  rows(
    { volume, older, heads }: Commit,
    stream: string,
    expected: Head,
    rows: readonly Row[],
  ): AppendResult | LedgerError {
    let head = heads.get(stream) ?? volume.head(stream);
    if (!isSameHead(head, expected)) {
      const hashAt = (position: number) => hashIn([...older, volume], stream, position);
      try {
        return alreadyThere({ stream, name: volume.path, head, hashAt }, expected, rows);
      } catch (error) {
        if (error instanceof LedgerError) return error;
        throw error;
      }
    }
    for (const row of rows) {
      if (!this.#insert(volume, stream, row)) {
        throw new StoreUnavailableError(`${volume.path} has another event '${row[2]}' already`);
      }
      head = headOfRow(row);
    }
    heads.set(stream, head);
    return { head, appended: rows.length };
  }

  /** False if the volume has an event with this id. */
  #insert(volume: Volume, stream: string, row: Row): boolean {
    const { changes } = this.#writingTo(volume).insert.run(stream, ...row);
    if (changes === 1) return true;
    if (volume.holds(stream, row[2])) return false;
    throw new StoreUnavailableError(`${volume.path} did not take the event '${row[2]}'`);
  }

  #writingTo(volume: Volume): Writing {
    if (this.#writing?.volume !== volume) {
      const insert = volume.db.prepare(
        `INSERT INTO events (stream, position, time, id, schema, type, data, hash)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (stream, id) DO NOTHING`,
      );
      this.#writing = { volume, insert, foreign: new ForeignWatch(volume.db, volume.path) };
    }
    return this.#writing;
  }
}

/** The hash of a stream at a position up to its head; undefined if an older volume is missing. */
function hashIn(volumes: readonly Volume[], stream: string, position: number): string | undefined {
  const [oldest] = volumes;
  const origin = oldest?.before(stream);
  if (position === origin?.position) return origin.hash;
  return volumes
    .findLast((found) => found.before(stream).position < position)
    ?.hashAt(stream, position);
}
