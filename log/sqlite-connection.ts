/**
 * Connections to the SQLite file of a log.
 *
 * @module
 */
import { resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { codeOf } from './sqlite-errors.ts';

/**
 * Opens an SQLite file. `parameters` are those of its URI (https://sqlite.org/uri.html); `timeout` is for
 * locks, in ms.
 */
export function connect(
  path: string,
  parameters: Record<string, string>,
  timeout = 0,
): DatabaseSync {
  const url = pathToFileURL(resolve(path));
  url.search = new URLSearchParams(parameters).toString();
  // An import would fail on a Node without it before `bin/supported-node.js` can report that.
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  return new DatabaseSync(url, {
    readOnly: parameters['mode'] === 'ro',
    timeout,
    defensive: parameters['immutable'] === undefined,
  });
}

/**
 * Opens a log with its -wal, for reading. If there is no space for a -shm, SQLite reads the log without
 * one, as long as no other process has it open.
 */
export function connectInUse(path: string, timeout: number): DatabaseSync {
  const db = connect(path, { mode: 'ro' }, timeout);
  try {
    db.exec('SELECT 1 FROM sqlite_schema');
    return db;
  } catch (error) {
    db.close();
    if (codeOf(error) !== 'WRITE') throw error;
    return connect(path, { mode: 'ro', readonly_shm: '1' }, timeout);
  }
}

/** Calls `act`; if it throws, closes the connection before. */
export function closeIfItFails(db: DatabaseSync, act: () => void): void {
  try {
    act();
  } catch (error) {
    db.close();
    throw error;
  }
}
