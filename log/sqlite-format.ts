/**
 * What lies in a log file: the mark in its header and the one table.
 *
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import { CorruptLogError, NotALogError } from './store.ts';

/** 'VFLG', in the header of every log. */
const APPLICATION_ID = 0x56464c47;

/** Of the tables below, in the header's `user_version`. What an event holds has its own schema. */
const FORMAT = 1;

const TABLES = `
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
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
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END;
  CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'an event is never deleted'); END;
`;

/** Throws unless the header is that of a log in a format that this release reads. */
export function checkHeader(db: DatabaseSync, path: string): void {
  if (pragma(db, 'application_id') !== APPLICATION_ID) {
    throw new NotALogError(`${path} is not a log, but the file of another program`);
  }
  const format = pragma(db, 'user_version');
  if (format > FORMAT) {
    throw new NotALogError(
      `${path} was written by a newer release, in format ${format}; this one reads ${FORMAT}`,
    );
  }
  if (format !== FORMAT) throw new CorruptLogError(null, `${path} has no format ${format}`);
}

/** Makes an empty file a log, in one transaction: it is no log yet or all of one. */
export function createTables(db: DatabaseSync, path: string): void {
  db.exec('BEGIN IMMEDIATE');
  const schema = db.prepare('SELECT count(*) AS objects FROM sqlite_schema').get();
  if (schema?.['objects'] === 0 && pragma(db, 'application_id') === 0) {
    db.exec(TABLES);
  } else {
    // Another process was first.
    checkHeader(db, path);
  }
  db.exec('COMMIT');
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}
