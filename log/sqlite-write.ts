/**
 * Group commit: appends that wait at the same time are written in one transaction.
 *
 * @module
 */
import type { StatementSync } from 'node:sqlite';
import { begin } from './patience.ts';
import { type Entry, rowOf } from './row.ts';
import { logError } from './sqlite-errors.ts';
import { ForeignWatch } from './sqlite-foreign.ts';
import type { Volume } from './sqlite-volume.ts';
import type { Volumes } from './sqlite-volumes.ts';
import {
  type AppendResult,
  type Head,
  RevisionConflictError,
  StoreUnavailableError,
} from './store.ts';

export interface GroupCommit {
  /** Resolves when the entries are on disk. Rejects as `Store.append` does. */
  append(stream: string, expected: number, entries: readonly Entry[]): Promise<AppendResult>;
  /** Writes the waiting appends at once. */
  flush(): void;
}

interface PendingAppend {
  readonly stream: string;
  readonly expected: number;
  readonly entries: readonly Entry[];
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (reason: unknown) => void;
}

/** The volume that is written to, and what is needed for that. */
interface Writing {
  readonly volume: Volume;
  readonly insert: StatementSync;
  readonly foreign: ForeignWatch;
}

/** A transaction: the volume it writes to, the older ones, and the heads so far. */
interface Commit {
  readonly volume: Volume;
  readonly older: readonly Volume[];
  readonly heads: Map<string, Head>;
}

/**
 * A commit waits for the disk once, however many appends it holds. Each append succeeds or conflicts by
 * itself, in the order of the calls. Only a failure of the disk fails all of them.
 */
export function groupCommit(volumes: Volumes): GroupCommit {
  let writing: Writing | null = null;
  let waiting: PendingAppend[] = [];

  function flush(): void {
    const appends = waiting;
    waiting = [];
    if (appends.length === 0) return;
    try {
      const outcomes = commit(appends);
      for (const [index, { resolve, reject }] of appends.entries()) {
        const outcome = outcomes[index];
        if (outcome instanceof RevisionConflictError) reject(outcome);
        else if (outcome !== undefined) resolve(outcome);
      }
    } catch (error) {
      for (const { reject } of appends) reject(logError(volumes.log, error));
    }
  }

  function commit(
    appends: readonly PendingAppend[],
  ): readonly (AppendResult | RevisionConflictError)[] {
    for (let volume = volumes.newest; ; volume = volumes.writable()) {
      begin(volume.db, volumes.timeout);
      try {
        // The lock keeps others from sealing the volume, but one may have sealed it before.
        if (!volume.isSealed) {
          checkMayWrite(writingTo(volume));
          const heads = new Map<string, Head>();
          const { older } = volumes;
          const outcomes = appends.map((append) => write({ volume, older, heads }, append));
          volume.db.exec('COMMIT');
          return outcomes;
        }
        volume.db.exec('ROLLBACK');
      } catch (error) {
        // After some errors SQLite has already rolled back.
        if (volume.db.isTransaction) volume.db.exec('ROLLBACK');
        throw error;
      }
    }
  }

  function write(
    { volume, older, heads }: Commit,
    { stream, expected, entries }: PendingAppend,
  ): AppendResult | RevisionConflictError {
    const isOld = (id: string) => older.some((sealed) => sealed.holds(stream, id));
    let head = heads.get(stream) ?? volume.head(stream);
    if (head.position !== expected) {
      const known = entries.every(({ id }) => volume.holds(stream, id) || isOld(id));
      return known
        ? { head, appended: 0 }
        : new RevisionConflictError(stream, expected, head.position);
    }
    const { insert } = writingTo(volume);
    for (const entry of entries) {
      if (isOld(entry.id)) continue;
      const row = rowOf(entry, head.position + 1, head.hash);
      const { changes } = insert.run(stream, ...row);
      if (changes === 1) head = { position: row[0], hash: row[6] };
      else if (!volume.holds(stream, entry.id)) {
        throw new StoreUnavailableError(`${volume.path} did not take the event '${entry.id}'`);
      }
    }
    heads.set(stream, head);
    return { head, appended: head.position - expected };
  }

  function writingTo(volume: Volume): Writing {
    if (writing?.volume !== volume) {
      const insert = volume.db.prepare(
        `INSERT INTO events (stream, position, time, id, schema, type, data, hash)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (stream, id) DO NOTHING`,
      );
      writing = { volume, insert, foreign: new ForeignWatch(volume.db, volume.path) };
    }
    return writing;
  }

  return {
    append(stream, expected, entries) {
      return new Promise((resolve, reject) => {
        waiting.push({ stream, expected, entries, resolve, reject });
        if (waiting.length === 1) setImmediate(flush);
      });
    },
    flush,
  };
}

/** Throws `ForeignContentError`, or `StoreUnavailableError` if what is written would not be in the log. */
function checkMayWrite({ volume, foreign }: Writing): void {
  foreign.check();
  if (volume.state === 'same') return;
  throw new StoreUnavailableError(
    `nothing is written to ${volume.path}: it was moved or replaced while it was open`,
  );
}
