/**
 * What a file of a log holds that vfio-ledger has not put there. A trigger can swallow an event as it is
 * appended, so nothing is written to such a file. SQLite's own tables (statistics) are not foreign.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { headsTablesIn, objectsIn, objectsOf, type SchemaObject } from './sqlite-format.ts';
import { ForeignContentError, type ForeignPart } from './store.ts';
import { nextStream, storedName, storedStreams } from './stream-names.ts';

/** What ANALYZE creates, and AUTOINCREMENT, by the SQL that SQLite has for it. */
const SQLITE_TABLES: readonly SchemaObject[] = [
  ['sqlite_stat1', 'tbl,idx,stat'],
  ['sqlite_stat4', 'tbl,idx,neq,nlt,ndlt,sample'],
  ['sqlite_sequence', 'name,seq'],
].map(([name = '', columns]) => {
  return { kind: 'table', name, table: name, sql: `CREATE TABLE ${name}(${columns})` };
});

/** The foreign objects and rows in a file. Errors of SQLite pass through. */
export function foreignIn(db: DatabaseSync, path: string): ForeignPart[] {
  return [...foreignObjects(db, path), ...foreignRows(db, path)];
}

/** Throws `ForeignContentError` if a file holds anything foreign. */
export function refuseForeign(db: DatabaseSync, path: string): void {
  const foreign = foreignIn(db, path);
  if (foreign.length > 0) throw new ForeignContentError(path, foreign);
}

/** Refuses to write to a file, and looks again only after another connection has written to it. */
export class ForeignWatch {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #version: StatementSync;
  #checked: unknown = null;

  constructor(db: DatabaseSync, path: string) {
    this.#db = db;
    this.#path = path;
    this.#version = db.prepare('PRAGMA data_version');
  }

  /** To be called in a transaction that writes. Throws `ForeignContentError`. */
  check(): void {
    const version = this.#version.get()?.['data_version'];
    if (version === this.#checked) return;
    refuseForeign(this.#db, this.#path);
    this.#checked = version;
  }
}

function foreignObjects(db: DatabaseSync, path: string): ForeignPart[] {
  const found = objectsIn(db);
  // Each once: with writable_schema a file can list an object twice.
  const known = new Set([...objectsOf(found), ...SQLITE_TABLES].map(keyOf));
  return found
    .filter((object) => !known.delete(keyOf(object)))
    .map(({ kind, name, table }) => ({ path, kind, name, table: table === name ? null : table }));
}

function foreignRows(db: DatabaseSync, path: string): ForeignPart[] {
  const events = [...storedStreams(nextStream(db))].map((stream) => ({
    ...stream,
    table: 'events',
  }));
  const heads = headsTablesIn(objectsIn(db)).flatMap((table) =>
    db
      .prepare(`SELECT CAST(stream AS BLOB) AS name FROM ${table}`)
      .all()
      .map(({ name }) => ({ ...storedName(name as Uint8Array), table })),
  );
  return [...events, ...heads]
    .filter(({ isHost }) => !isHost)
    .map(({ name, table }) => ({ path, kind: 'rows', name, table }));
}

function keyOf({ kind, name, table, sql }: SchemaObject): string {
  return JSON.stringify([kind, name, table, sql]);
}
