/**
 * Intervals of ownership in a table of SQLite, with an index by group and position: all that it
 * takes to tell the owner at a moment, and nothing else.
 *
 * @module
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Interval } from '../../ledger.ts';

export class IntervalTable {
  readonly #db = new DatabaseSync(':memory:');
  readonly #ask: StatementSync;

  constructor(intervals: Iterable<Interval>) {
    this.#db.exec(`
      CREATE TABLE intervals (subject TEXT, start INTEGER, kind TEXT, file TEXT,
        PRIMARY KEY (subject, start)) WITHOUT ROWID;
      BEGIN`);
    const add = this.#db.prepare('INSERT INTO intervals VALUES (?, ?, ?, ?)');
    for (const { subject, from, owner } of intervals) {
      add.run(subject, from ?? -1, owner.kind, owner.file);
    }
    this.#db.exec('COMMIT');
    this.#ask = this.#db.prepare(`
      SELECT kind, file FROM intervals WHERE subject = ? AND start <= ?
      ORDER BY start DESC LIMIT 1`);
  }

  ownerAt(group: string, position: number) {
    return this.#ask.get(group, position) as { kind: string; file: string | null };
  }

  close(): void {
    this.#db.close();
  }
}
