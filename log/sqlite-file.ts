/**
 * The file that a log lies in: told from other files, created, opened, and given back.
 *
 * At rest it is one file without companions that any SQLite can read. While it is open for writing
 * it is in WAL mode and `-wal` and `-shm` lie beside it; a writer that crashed leaves them behind.
 *
 * @module
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { ATTEMPT_MS, begin, patiently } from './patience.ts';
import { codeOf, logError } from './sqlite-errors.ts';
import { APPLICATION_ID, checkHeader, createTables } from './sqlite-format.ts';
import { CorruptLogError, type Head, NotALogError, StoreUnavailableError } from './store.ts';

/**
 * How long a -wal grows before it is taken into the log, in pages of 4 KiB. Each append writes some
 * pages anew that the last has written; the longer it takes, the fewer of them go to disk twice.
 */
const CHECKPOINT_PAGES = 4000;

/**
 * A log opened for reading only. Nothing in it changes and nothing is created beside it, but for the
 * -shm without which a -wal cannot be read, where that is missing.
 */
export interface LogReader {
  readonly db: DatabaseSync;
  /** Whether the file has moved on beneath `db`, which then has to be opened anew. */
  readonly outdated: () => boolean;
}

/** Throws `NotALogError` when there is no log at the path. `timeout` is for locks, in ms. */
export function openForReading(path: string, timeout: number): LogReader {
  const found = inspect(path);
  checkIsLog(found, path);
  return guarded(path, () => {
    const file = realpathSync(path);
    const rest = statSync(file);
    if (existsSync(`${file}-wal`) || !(existsSync(`${file}-journal`) || inWalMode(file))) {
      return { db: connectInUse(path, timeout), outdated: () => false };
    }
    // What is left when someone copies a log in use without its -wal, or when its writer was killed
    // on the way into WAL mode or out of it. Read in the common way the one would get a -wal and a
    // -shm, and the other would first have to be rolled back; the events are all there without.
    const db = connect(path, { mode: 'ro', immutable: '1' });
    return { db, outdated: () => existsSync(`${file}-wal`) || changed(file, rest) };
  });
}

interface WriteOptions {
  /** Whether a log is created where there is no file or an empty one. */
  readonly create: boolean;
  /** For locks, in ms. */
  readonly timeout: number;
}

/**
 * The log at the path.
 *
 * Throws `NotALogError` when the file is something else, which is left as it is, and when there is
 * none and none is to be created.
 */
export function openForWriting(path: string, { create, timeout }: WriteOptions): DatabaseSync {
  const found = inspect(path);
  if (!create) checkIsLog(found, path);
  const folder = dirname(resolve(path));
  if (found === 'nothing' && !existsSync(folder)) {
    throw new StoreUnavailableError(`${path} cannot be created: there is no folder ${folder}`);
  }
  const db = guarded(path, () => connect(path, { mode: create ? 'rwc' : 'rw' }, ATTEMPT_MS));
  try {
    if (found !== 'log') createTables(db, path, timeout);
    patiently(timeout, () => db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL'));
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    // Where the file may not be written SQLite opens it for reading, and only this tells.
    begin(db, timeout);
    db.exec('ROLLBACK');
    return db;
  } catch (error) {
    db.close();
    throw logError(path, error);
  }
}

/** Closes a log that was written to, and folds it back into one file if nobody else has it open. */
export function closeAfterWriting(db: DatabaseSync): void {
  try {
    db.exec('PRAGMA journal_mode = DELETE');
  } catch {
    // It stays in WAL mode, for those who still have it open and for whoever opens it next.
  } finally {
    db.close();
  }
}

/**
 * Makes a file in which a log goes on after these heads. It is on disk, all of it, or not there; what
 * was there is gone.
 */
export function createVolume(path: string, anchors: ReadonlyMap<string, Head>): void {
  const unfinished = `${path}.new`;
  const remove = () => {
    for (const file of [unfinished, `${unfinished}-journal`]) rmSync(file, { force: true });
  };
  remove();
  try {
    const db = connect(unfinished, { mode: 'rwc' });
    try {
      db.exec('PRAGMA synchronous = FULL');
      createTables(db, unfinished, 0, anchors);
    } finally {
      db.close();
    }
    renameSync(unfinished, path);
    syncFolder(path);
  } catch (error) {
    remove();
    throw error;
  }
}

/** Sees to it that all of a log is in its one file. Throws `StoreUnavailableError` while it is in use. */
export function fold(path: string): void {
  guarded(path, () => {
    const db = connect(path, { mode: 'rw' });
    try {
      const mode = db.prepare('PRAGMA journal_mode = DELETE').get()?.['journal_mode'];
      if (mode !== 'delete') throw new StoreUnavailableError(`${path} is in use`);
    } finally {
      db.close();
    }
  });
}

export function syncFolder(path: string): void {
  syncFile(dirname(resolve(path)));
}

/** Waits until a file or a folder is on disk as it is. */
export function syncFile(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Opens a log with its -wal. Where there is no room for the whole -shm that this takes, as a writer
 * found before, SQLite does without one while nobody else has the log open.
 */
function connectInUse(path: string, timeout: number): DatabaseSync {
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

type FileContent = 'nothing' | 'empty file' | 'log';

/** Throws `NotALogError` unless it is one. */
function checkIsLog(found: FileContent, path: string): void {
  if (found === 'nothing') throw new NotALogError(`no log at ${path}`);
  if (found === 'empty file') throw new NotALogError(`${path} is empty, not a log`);
}

/**
 * What is at the path. Throws unless it is nothing, an empty file or a log that this release reads.
 *
 * The header is read through SQLite, for closing a descriptor of our own would end all the locks
 * that this process holds on the file; immutable, so that no file is touched or created; and as if
 * to write the schema, which lets the header of a file that was cut short be read all the same.
 */
function inspect(path: string): FileContent {
  const stats = guarded(path, () => statSync(path, { throwIfNoEntry: false }));
  if (stats === undefined) return 'nothing';
  if (!stats.isFile()) throw new NotALogError(`${path} is not a file, so not a log`);
  if (stats.size === 0 || guarded(path, () => isHalfMade(path))) return 'empty file';
  const probe = guarded(path, () => connect(path, { mode: 'ro', immutable: '1' }));
  try {
    probe.exec('PRAGMA writable_schema = ON');
    checkHeader(probe, path);
    return 'log';
  } catch (error) {
    if (codeOf(error) === 'NOTADB') {
      if (numberAt(path, 68) === APPLICATION_ID) {
        throw new CorruptLogError(null, `the header of ${path} is damaged`);
      }
      throw new NotALogError(`${path} is not a log, nor an SQLite file of any kind`);
    }
    throw logError(path, error);
  } finally {
    probe.close();
  }
}

/**
 * Whether the tables are being created, or whoever did was killed: then the journal beside the file
 * is one of a file without pages. https://sqlite.org/fileformat2.html#the_rollback_journal
 */
function isHalfMade(path: string): boolean {
  const journal = `${realpathSync(path)}-journal`;
  try {
    return numberAt(journal, 0) === 0xd9d505f9 && numberAt(journal, 16) === 0;
  } catch (error) {
    // It may go at any moment.
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Byte 18 of the header, which SQLite itself does not tell without creating a -wal. For files
 * without a -wal only: then no writer in this process has locks that the closing here would end.
 */
function inWalMode(file: string): boolean {
  return numberAt(file, 18) >>> 24 === 2;
}

/** The four bytes at a place in a file as a number; zeros behind its end. */
function numberAt(file: string, position: number): number {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = new DataView(new ArrayBuffer(4));
    readSync(descriptor, bytes, { position });
    return bytes.getUint32(0);
  } finally {
    closeSync(descriptor);
  }
}

function changed(file: string, before: Stats): boolean {
  const now = statSync(file, { throwIfNoEntry: false });
  return now?.ino !== before.ino || now.mtimeMs !== before.mtimeMs || now.size !== before.size;
}

function connect(path: string, parameters: Record<string, string>, timeout = 0): DatabaseSync {
  const url = pathToFileURL(resolve(path));
  url.search = new URLSearchParams(parameters).toString();
  // Imported, it would stop a Node that lacks it before `bin/supported-node.js` can say so.
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  return new DatabaseSync(url, {
    readOnly: parameters['mode'] === 'ro',
    timeout,
    defensive: parameters['immutable'] === undefined,
  });
}

function guarded<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw logError(path, error);
  }
}
