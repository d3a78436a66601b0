/**
 * Recognizes, creates, opens and closes the SQLite file of a log.
 *
 * At rest a log is one file, which any SQLite can read. While it is open for writing, it is in WAL mode
 * and has a `-wal` and a `-shm` beside it. A writer that crashed leaves these behind.
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
import { APPLICATION_ID, checkHeader, createTables, isSealed } from './sqlite-format.ts';
import { CorruptLogError, type Head, NotALogError, StoreUnavailableError } from './store.ts';

/**
 * The size of a -wal, in pages of 4 KiB, at which SQLite copies it into the log. Appends write some
 * pages again and again: the larger the -wal, the fewer of these copies reach the log.
 */
const CHECKPOINT_PAGES = 4000;

/**
 * A log opened for reading only. It is not changed, and nothing is created beside it, except a missing
 * -shm, without which a -wal cannot be read.
 */
export interface LogReader {
  readonly db: DatabaseSync;
  /** Whether the file has changed since it was opened, so that `db` must be opened again. */
  readonly outdated: () => boolean;
}

/** Opens the log at a path. `timeout` is for locks, in ms. Throws `NotALogError` if there is none. */
export function openForReading(path: string, timeout: number): LogReader {
  const found = inspect(path);
  checkIsLog(found, path);
  return guarded(path, () => {
    const file = realpathSync(path);
    const rest = statSync(file);
    if (existsSync(`${file}-wal`) || !(existsSync(`${file}-journal`) || inWalMode(file))) {
      return { db: connectInUse(path, timeout), outdated: () => false };
    }
    // Either a copy of a log in use without its -wal, or a log whose writer was killed while it changed
    // the journal mode. Opened the usual way, the first would get a -wal and a -shm, and the second
    // would be rolled back. `immutable` avoids both, and all events are in the file.
    const db = connect(path, { mode: 'ro', immutable: '1' });
    return { db, outdated: () => existsSync(`${file}-wal`) || changed(file, rest) };
  });
}

interface WriteOptions {
  /** Whether to create the log if the file is missing or empty. */
  readonly create: boolean;
  /** For locks, in ms. */
  readonly timeout: number;
}

/**
 * Opens the log at a path for writing.
 *
 * Throws `NotALogError` if the file is something else, which is left unchanged, or if it is missing
 * and `create` is false.
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
    // A sealed file is never written to, not even the journal mode in its header.
    let sealed = false;
    patiently(timeout, () => (sealed = isSealed(db)));
    if (sealed) return db;
    patiently(timeout, () => db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL'));
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    // SQLite opens a read-only file without an error. Only a write transaction shows it.
    begin(db, timeout);
    db.exec('ROLLBACK');
    return db;
  } catch (error) {
    db.close();
    throw logError(path, error);
  }
}

/** Closes a log after writing. If no other process has it open, its -wal is merged into the file. */
export function closeAfterWriting(db: DatabaseSync): void {
  try {
    db.exec('PRAGMA journal_mode = DELETE');
  } catch {
    // Another process has it open: it stays in WAL mode.
  } finally {
    db.close();
  }
}

/**
 * Creates a volume that continues a log after these heads. Replaces the file at the path, if any. After
 * a crash the volume is on disk completely or not at all.
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

/** Merges the -wal of a log into its file. Throws `StoreUnavailableError` if the log is in use. */
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

/** Calls fsync on the folder of a file, so that its name is on disk. */
export function syncFolder(path: string): void {
  syncFile(dirname(resolve(path)));
}

/** Calls fsync on a file or a folder. */
export function syncFile(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Opens a log with its -wal. If there is no space for a -shm, SQLite reads the log without one, as long
 * as no other process has it open.
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

/** Throws `NotALogError` unless the path is a log. */
function checkIsLog(found: FileContent, path: string): void {
  if (found === 'log') return;
  const reason = found === 'nothing' ? `no log at ${path}` : `${path} is empty, not a log`;
  throw new NotALogError(reason, { isUnbegun: true });
}

/**
 * Finds out what is at the path. Throws `NotALogError` or `CorruptLogError` unless it is nothing, an
 * empty file or a log that this release reads.
 *
 * The header is read through SQLite: closing a descriptor of our own would release all locks of this
 * process on the file. `immutable` keeps SQLite from touching or creating files. `writable_schema` lets
 * it read the header of a truncated file.
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
 * Whether the tables are being created, or their creator was killed: then the rollback journal says
 * that the file had no pages. https://sqlite.org/fileformat2.html#the_rollback_journal
 */
function isHalfMade(path: string): boolean {
  const journal = `${realpathSync(path)}-journal`;
  try {
    return numberAt(journal, 0) === 0xd9d505f9 && numberAt(journal, 16) === 0;
  } catch (error) {
    // The journal may disappear at any moment.
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Whether byte 18 of the header says WAL mode; SQLite itself would create a -wal to tell. Only for
 * files without a -wal: then no writer of this process has locks that closing our descriptor releases.
 */
function inWalMode(file: string): boolean {
  return numberAt(file, 18) >>> 24 === 2;
}

/** The big-endian 32-bit number at a byte offset of a file. Bytes after its end count as zeros. */
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
  // An import would fail on a Node without it before `bin/supported-node.js` can report that.
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
