/**
 * The format of a log file: its header, tables and triggers. FORMAT.md documents it.
 *
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import { digestOf, genesisOf } from './hash.ts';
import { begin } from './patience.ts';
import { CorruptLogError, type Head, NotALogError } from './store.ts';

/** `application_id` in the header of every log: 'VFLG'. */
export const APPLICATION_ID = 0x56464c47;

/** `user_version` in the header: the format of the file. The content of events has its own schema. */
const FORMAT = 2;

/** The hash before the first event in format 1. All else is as in format 2. */
const ZEROS = '0'.repeat(64);

const EVENTS = `
  CREATE TABLE events (
    stream TEXT NOT NULL,
    position INTEGER NOT NULL,
    time TEXT,
    id TEXT NOT NULL,
    schema INTEGER NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (stream, position),
    UNIQUE (stream, id)
  ) STRICT, WITHOUT ROWID`;

/**
 * The table itself, as an index: events are read by it, whatever indexes somebody has added. One that
 * lacks rows would hide events, and for a table WITHOUT ROWID SQLite does not heed NOT INDEXED.
 */
export const BY_POSITION = 'INDEXED BY sqlite_autoindex_events_1';

/** The index behind UNIQUE (stream, id). */
export const ID_INDEX = 'sqlite_autoindex_events_2';

const GUARDS = [
  `CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END`,
  `CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'an event is never deleted'); END`,
];

type HeadsTable = 'anchors' | 'seal';

/**
 * The statements for a table of heads: `anchors`, the heads before a volume, or `seal`, those at its
 * end. `digest` protects a row as the hash chain protects an event.
 */
function headsTable(name: HeadsTable): string[] {
  return [
    `CREATE TABLE ${name} (
    stream TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    hash TEXT NOT NULL,
    digest TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
    `CREATE TRIGGER ${name}_is_not_changed BEFORE UPDATE ON ${name}
    BEGIN SELECT RAISE(ABORT, 'a head is never changed'); END`,
    `CREATE TRIGGER ${name}_is_not_deleted BEFORE DELETE ON ${name}
    BEGIN SELECT RAISE(ABORT, 'a head is never deleted'); END`,
  ];
}

const SEALED = `CREATE TRIGGER events_end_here BEFORE INSERT ON events
    BEGIN SELECT RAISE(ABORT, 'the log is sealed'); END`;

/** An object in the schema of a file. */
export interface SchemaObject {
  readonly kind: string;
  readonly name: string;
  /** The table that it belongs to; that of a table is itself. */
  readonly table: string;
  /** The statement that creates it, in one line; empty for an index that SQLite made by itself. */
  readonly sql: string;
}

/** The objects in the schema of a file. */
export function objectsIn(db: DatabaseSync): SchemaObject[] {
  const rows = db.prepare('SELECT type AS kind, name, tbl_name AS "table", sql FROM sqlite_schema');
  return rows.all().map(({ kind, name, table, sql }) => {
    return { kind: String(kind), name: String(name), table: String(table), sql: plain(sql) };
  });
}

/** The objects that a log's file has. It may have a table of heads: then it has its triggers as well. */
export function objectsOf(found: readonly SchemaObject[]): SchemaObject[] {
  const heads = headsTablesIn(found);
  const statements = [
    EVENTS,
    ...GUARDS,
    ...heads.flatMap(headsTable),
    ...(heads.includes('seal') ? [SEALED] : []),
  ];
  return [...statements.map(objectOf), { kind: 'index', name: ID_INDEX, table: 'events', sql: '' }];
}

/** The tables of heads that a file has. */
export function headsTablesIn(found: readonly SchemaObject[]): HeadsTable[] {
  return (['anchors', 'seal'] as const).filter((name) => nameIsIn(found, name));
}

function objectOf(statement: string): SchemaObject {
  const [, kind = '', name = '', table = name] =
    /^\s*CREATE (TABLE|TRIGGER) (\w+)(?: BEFORE \w+ ON (\w+))?/.exec(statement) ?? [];
  return { kind: kind.toLowerCase(), name, table, sql: plain(statement) };
}

/**
 * Throws `CorruptLogError` if a table of the log has been replaced: by other columns, a view, or a table
 * that is not STRICT. Whatever it holds is not read.
 */
export function checkTables(db: DatabaseSync, path: string): void {
  const found = objectsIn(db);
  for (const { kind, name, sql } of objectsOf(found)) {
    if (kind !== 'table') continue;
    const there = found.find((object) => object.name === name);
    if (there?.sql === sql) continue;
    if (there === undefined) throw new CorruptLogError(null, `${path}: table '${name}' is missing`);
    const foreign = { path, kind: there.kind, name, table: null };
    throw new CorruptLogError(null, `${path}: ${name} is not the table of a log`, foreign);
  }
}

/**
 * Checks that a file is a log in a format that this release reads. Throws `CorruptLogError`, or
 * `NotALogError`, whose code is `newer-schema` for a newer format.
 */
export function checkHeader(db: DatabaseSync, path: string): void {
  const ours = hasEvents(db);
  if (pragma(db, 'application_id') !== APPLICATION_ID) {
    if (ours) throw new CorruptLogError(null, `the header of ${path} is not that of a log`);
    throw new NotALogError(`${path} is not a log, but the SQLite file of another program`);
  }
  const format = pragma(db, 'user_version');
  if (format > FORMAT) {
    throw new NotALogError(
      `${path} was written by a newer release, in format ${format}; this one reads ${FORMAT}`,
      { isNewer: true, isSuspect: ours },
    );
  }
  if (format < 1)
    throw new CorruptLogError(null, `${path} has format ${format}, which never existed`);
  checkTables(db, path);
  checkSetting(db, path, 'auto_vacuum', 0);
  checkSetting(db, path, 'encoding', 'UTF-8');
}

function checkSetting(db: DatabaseSync, path: string, name: string, value: number | string): void {
  const found = db.prepare(`PRAGMA ${name}`).get()?.[name];
  if (found === value) return;
  const reason = `the header of ${path} sets ${name} to ${String(found)}, as no log does`;
  throw new CorruptLogError(null, reason, { path, kind: 'setting', name, table: null });
}

/**
 * Creates the tables of a log in an empty file, in one transaction. `anchors`: the heads that the
 * volume continues from; null for the first volume. `timeout` is for locks, in ms. If another process
 * was faster, throws as `checkHeader` does.
 */
export function createTables(
  db: DatabaseSync,
  path: string,
  timeout: number,
  anchors: ReadonlyMap<string, Head> | null = null,
): void {
  begin(db, timeout);
  const schema = db.prepare('SELECT count(*) AS objects FROM sqlite_schema').get();
  if (schema?.['objects'] === 0 && pragma(db, 'application_id') === 0) {
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT}`);
    db.exec([EVENTS, ...GUARDS].join(';'));
    if (anchors !== null) createHeads(db, 'anchors', anchors);
  } else {
    // Another process was faster.
    checkHeader(db, path);
  }
  db.exec('COMMIT');
}

/** Creates a table of heads. With `seal`, no more events can be inserted into this file. */
export function createHeads(
  db: DatabaseSync,
  name: HeadsTable,
  heads: ReadonlyMap<string, Head>,
): void {
  db.exec(headsTable(name).join(';'));
  const insert = db.prepare(`INSERT INTO ${name} VALUES (?, ?, ?, ?)`);
  for (const [stream, { position, hash }] of heads) {
    insert.run(stream, position, hash, digestOf(stream, position, hash));
  }
  if (name === 'seal') db.exec(SEALED);
}

/** Reads a table of heads; null if there is none. Throws `CorruptLogError` for a wrong digest. */
export function headsIn(db: DatabaseSync, name: HeadsTable): ReadonlyMap<string, Head> | null {
  if (!nameIsIn(objectsIn(db), name)) return null;
  const heads = new Map<string, Head>();
  for (const row of db.prepare(`SELECT stream, position, hash, digest FROM ${name}`).all()) {
    const { stream, position, hash, digest } = row as unknown as Head & Record<string, string>;
    if (digest !== digestOf(String(stream), position, hash)) {
      throw new CorruptLogError(
        position,
        `the head of stream '${String(stream)}' in table '${name}' does not match its digest`,
      );
    }
    heads.set(String(stream), { position, hash });
  }
  return heads;
}

/** Whether a volume is sealed. */
export function isSealed(db: DatabaseSync): boolean {
  return objectsIn(db).some(({ name }) => name === 'seal');
}

/** Gives the hash before the first event of a stream, as the format of the file defines it. */
export function genesisIn(db: DatabaseSync): (stream: string) => string {
  return pragma(db, 'user_version') === 1 ? () => ZEROS : genesisOf;
}

/** The names of missing triggers that forbid changes. To change a log, one has to drop them first. */
export function missingGuards(db: DatabaseSync): string[] {
  const found = objectsIn(db);
  const there = new Set(found.map(({ sql }) => sql));
  return objectsOf(found)
    .filter(({ kind, sql }) => kind === 'trigger' && !there.has(sql))
    .map(({ name }) => name);
}

function hasEvents(db: DatabaseSync): boolean {
  return objectsIn(db).some(({ name, sql }) => name === 'events' && sql === plain(EVENTS));
}

function nameIsIn(objects: readonly SchemaObject[], name: string): boolean {
  return objects.some((object) => object.name === name);
}

/** SQL in one line; empty if there is none. */
function plain(sql: unknown): string {
  return typeof sql === 'string' ? sql.trim().replaceAll(/\s+/g, ' ') : '';
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}
