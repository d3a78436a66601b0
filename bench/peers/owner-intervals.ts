/**
 * Owners in a table of intervals in SQLite: what somebody would make who wants nothing else.
 *
 * @module
 */
import { DatabaseSync } from 'node:sqlite';
import type { Timeline } from '../../projections/timeline.ts';
import type { Owner } from '../../projections/shapes.ts';
import { nobody, ownerWithoutHolders } from '../../projections/views.ts';

/** An owner, but for its holders. */
export type OwnerFile = Pick<Owner, 'kind' | 'file'>;

/** Writes the intervals of all groups of a log; gives their number. */
export function writeIntervals(past: Timeline, path: string): number {
  const db = new DatabaseSync(path);
  db.exec(`CREATE TABLE intervals (
    "group" TEXT NOT NULL, "from" INTEGER NOT NULL, kind TEXT NOT NULL, file TEXT,
    PRIMARY KEY ("group", "from")
  ) STRICT, WITHOUT ROWID`);
  const insert = db.prepare('INSERT INTO intervals VALUES (?, ?, ?, ?)');
  let count = 0;
  db.exec('BEGIN');
  for (const { position, group } of past.handedOver(-1, past.head)) {
    const there = past.hostAt(position).group(group);
    const { kind, file } = there === undefined ? nobody : ownerWithoutHolders(there);
    insert.run(group, position, kind, file);
    count++;
  }
  db.exec('COMMIT');
  db.close();
  return count;
}

export class Intervals {
  readonly #db: DatabaseSync;
  readonly #find;

  constructor(path: string) {
    this.#db = new DatabaseSync(path, { readOnly: true });
    this.#find = this.#db.prepare(
      `SELECT kind, file FROM intervals WHERE "group" = ? AND "from" <= ?
       ORDER BY "from" DESC LIMIT 1`,
    );
  }

  /** Null before the first interval. */
  at(group: string, position: number): OwnerFile | null {
    return (this.#find.get(group, position) as unknown as OwnerFile | undefined) ?? null;
  }

  close(): void {
    this.#db.close();
  }
}
