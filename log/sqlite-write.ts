/**
 * Group commit: appends that wait at the same time are written in one transaction.
 *
 * @module
 */
import { LedgerError } from '../events/ledger-error.ts';
import { begin } from './patience.ts';
import type { Entry, Row } from './row.ts';
import { logError } from './sqlite-errors.ts';
import { type Commit, Inserting } from './sqlite-insert.ts';
import type { Volumes } from './sqlite-volumes.ts';
import type { AppendResult, Head } from './store.ts';

export interface GroupCommit {
  /** Resolves when the entries are on disk. Rejects as `Store.append` does. */
  append(stream: string, expected: number, entries: readonly Entry[]): Promise<AppendResult>;
  /** Resolves when the rows are on disk, as they are. Rejects as `Engine.append` does. */
  appendRows(stream: string, expected: Head, rows: readonly Row[]): Promise<AppendResult>;
  /** Writes the waiting appends at once. */
  flush(): void;
}

interface PendingAppend {
  /** Writes what is to be appended. Returns the error that it rejects with. */
  readonly write: (commit: Commit) => AppendResult | LedgerError;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * A commit waits for the disk once, however many appends it holds. Each append succeeds or conflicts by
 * itself, in the order of the calls. Only a failure of the disk fails all of them.
 */
export function groupCommit(volumes: Volumes): GroupCommit {
  const inserting = new Inserting();
  let waiting: PendingAppend[] = [];

  function flush(): void {
    const appends = waiting;
    waiting = [];
    if (appends.length === 0) return;
    try {
      const outcomes = commit(appends);
      for (const [index, { resolve, reject }] of appends.entries()) {
        const outcome = outcomes[index];
        if (outcome instanceof LedgerError) reject(outcome);
        else if (outcome !== undefined) resolve(outcome);
      }
    } catch (error) {
      for (const { reject } of appends) reject(logError(volumes.log, error));
    }
  }

  function commit(appends: readonly PendingAppend[]): readonly (AppendResult | LedgerError)[] {
    for (let volume = volumes.newest; ; volume = volumes.writable()) {
      begin(volume.db, volumes.timeout);
      try {
        // The lock keeps others from sealing the volume, but one may have sealed it before.
        if (!volume.isSealed) {
          inserting.checkMayWrite(volume);
          const heads = new Map<string, Head>();
          const { older } = volumes;
          const outcomes = appends.map(({ write }) => write({ volume, older, heads }));
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

  function enqueue(write: PendingAppend['write']): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      waiting.push({ write, resolve, reject });
      if (waiting.length === 1) setImmediate(flush);
    });
  }

  return {
    append: (stream, expected, entries) =>
      enqueue((so) => inserting.entries(so, stream, expected, entries)),
    appendRows: (stream, expected, rows) =>
      enqueue((so) => inserting.rows(so, stream, expected, rows)),
    flush,
  };
}
