/**
 * Writing a log file: the appends that wait at the same time become one transaction.
 *
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import { type Entry, rowOf } from './row.ts';
import { logError } from './sqlite-errors.ts';
import { headOf, type Queries } from './sqlite-read.ts';
import { type AppendResult, type Head, RevisionConflictError } from './store.ts';

export interface GroupCommit {
  /** Resolves when the entries are on disk. */
  append(stream: string, expected: number, entries: readonly Entry[]): Promise<AppendResult>;
  /** Writes what waits, now. */
  flush(): void;
}

interface Call {
  readonly stream: string;
  readonly expected: number;
  readonly entries: readonly Entry[];
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * A commit costs one wait for the disk however many appends it holds. Each still succeeds or
 * conflicts by itself, in the order of the calls; only a failure of the disk fails all of them.
 */
export function groupCommit(db: DatabaseSync, queries: Queries, path: string): GroupCommit {
  const exists = db.prepare('SELECT 1 FROM events WHERE stream = ? AND id = ?');
  const insert = db.prepare(
    `INSERT INTO events (stream, position, time, id, schema, type, data, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (stream, id) DO NOTHING`,
  );
  let waiting: Call[] = [];

  function flush(): void {
    const calls = waiting;
    waiting = [];
    if (calls.length === 0) return;
    try {
      const outcomes = commit(calls);
      for (const [index, { resolve, reject }] of calls.entries()) {
        const outcome = outcomes[index];
        if (outcome instanceof RevisionConflictError) reject(outcome);
        else if (outcome !== undefined) resolve(outcome);
      }
    } catch (error) {
      for (const { reject } of calls) reject(logError(path, error));
    }
  }

  function commit(calls: readonly Call[]): readonly (AppendResult | RevisionConflictError)[] {
    db.exec('BEGIN IMMEDIATE');
    try {
      const heads = new Map<string, Head>();
      const outcomes = calls.map((call) => write(call, heads));
      db.exec('COMMIT');
      return outcomes;
    } catch (error) {
      // SQLite has ended the transaction itself where it had to.
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }

  function write(call: Call, heads: Map<string, Head>): AppendResult | RevisionConflictError {
    const { stream, expected, entries } = call;
    let head = heads.get(stream) ?? headOf(queries, stream);
    if (head.position !== expected) {
      const known = entries.every(({ id }) => exists.get(stream, id) !== undefined);
      return known
        ? { head, appended: 0 }
        : new RevisionConflictError(stream, expected, head.position);
    }
    for (const entry of entries) {
      const row = rowOf(entry, head.position + 1, head.hash);
      const { changes } = insert.run(stream, ...row);
      if (changes === 1) head = { position: row[0], hash: row[6] };
    }
    heads.set(stream, head);
    return { head, appended: head.position - expected };
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
