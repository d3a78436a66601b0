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
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { type FileState, FileInUse } from './file-in-use.ts';
import { ATTEMPT_MS, begin, patiently } from './patience.ts';
import { createPrivate, ensurePrivate } from './private-files.ts';
import { closeIfItFails, connect, connectInUse } from './sqlite-connection.ts';
import { codeOf, logError } from './sqlite-errors.ts';
import { refuseForeign } from './sqlite-foreign.ts';
import { APPLICATION_ID, checkHeader, createTables, isSealed } from './sqlite-format.ts';
import { checkWal } from './sqlite-wal.ts';
import {
  CorruptLogError,
  ForeignContentError,
  type Head,
  NotALogError,
  StoreUnavailableError,
} from './store.ts';

/**
 * The size of a -wal, in pages of 4 KiB, at which SQLite copies it into the log. Appends write some
 * pages again and again: the larger the -wal, the fewer of these copies reach the log.
 */
const CHECKPOINT_PAGES = 4000;

/** The file of a log, opened. */
export interface OpenLog {
  readonly db: DatabaseSync;
  /** What has become of the file since. If it is `changed`, it must be opened again. */
  readonly state: () => FileState;
}

/**
 * Opens the log at a path for reading only. It is not changed, and nothing is created beside it, except a
 * missing -shm, without which a -wal cannot be read.
 *
 * `timeout` is for locks, in ms. Throws `NotALogError` if there is none, and `CorruptLogError` if the
 * -wal is not the one that was written to this log.
 */
export function openForReading(path: string, timeout: number): OpenLog {
  checkIsLog(inspect(path), path);
  return guarded(path, () => openInspected(path, timeout));
}

/** As `openForReading`, for a path at which a log was found. Errors of SQLite pass through. */
function openInspected(path: string, timeout: number): OpenLog {
  const file = new FileInUse(path);
  const wal = `${file.path}-wal`;
  const hasWal = existsSync(wal);
  if (hasWal || !(existsSync(`${file.path}-journal`) || inWalMode(file.path))) {
    const db = connectInUse(path, timeout);
    if (hasWal) closeIfItFails(db, () => checkWal(db, path, wal));
    return { db, state: () => file.state };
  }
  // Either a copy of a log in use without its -wal, or a log whose writer was killed while it changed
  // the journal mode. Opened the usual way, the first would get a -wal and a -shm, and the second
  // would be rolled back. `immutable` avoids both, and all events are in the file.
  const db = connect(path, { mode: 'ro', immutable: '1' });
  return { db, state: () => (existsSync(wal) ? 'changed' : file.state) };
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
 * Throws `NotALogError` if the file is something else, or `ForeignContentError` if it holds what no log
 * has: it is then left unchanged. Throws `NotALogError` also if it is missing and `create` is false.
 */
export function openForWriting(path: string, { create, timeout }: WriteOptions): OpenLog {
  const found = inspectForWriting(path, timeout);
  if (!create) checkIsLog(found, path);
  const folder = dirname(resolve(path));
  if (found === 'nothing' && !existsSync(folder)) {
    throw new StoreUnavailableError(`${path} cannot be created: there is no folder ${folder}`);
  }
  const known = found === 'nothing' ? null : guarded(path, () => new FileInUse(path));
  const db = guarded(path, () => {
    // SQLite would create it with the mode 0644. A -wal and a -shm get the mode of the log.
    if (found === 'nothing') ensurePrivate(path);
    return connect(path, { mode: 'rw' }, ATTEMPT_MS);
  });
  try {
    if (found !== 'log') createTables(db, path, timeout);
    // A sealed file is never written to, not even the journal mode in its header.
    let sealed = false;
    patiently(timeout, () => (sealed = isSealed(db)));
    if (!sealed) prepareToAppend(db, timeout);
    const file = known ?? new FileInUse(path);
    // What is appended changes the file.
    return { db, state: () => (file.state === 'changed' ? 'same' : file.state) };
  } catch (error) {
    db.close();
    throw logError(path, error);
  }
}

function prepareToAppend(db: DatabaseSync, timeout: number): void {
  patiently(timeout, () => db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL'));
  db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  // SQLite opens a read-only file without an error. Only a write transaction shows it.
  begin(db, timeout);
  db.exec('ROLLBACK');
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
    closeSync(createPrivate(unfinished));
    const db = connect(unfinished, { mode: 'rw' });
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

/**
 * Merges the -wal of a log into its file. Throws `StoreUnavailableError` if the log is in use, and
 * `ForeignContentError` if it holds what no log has.
 */
export function fold(path: string): void {
  inspectForWriting(path, 0);
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
 * As `inspect`, before a log is opened for writing: that alone may change its files. So what is foreign,
 * or wrong with a -wal, is looked for on a connection that only reads. Throws `ForeignContentError`.
 */
function inspectForWriting(path: string, timeout: number): FileContent {
  try {
    const found = inspect(path);
    // What a killed writer left in a journal is not to be read, but rolled back.
    if (found !== 'log' || existsSync(`${realpathSync(path)}-journal`)) return found;
    patiently(timeout, () => {
      const { db } = openInspected(path, ATTEMPT_MS);
      closeIfItFails(db, () => refuseForeign(db, path));
      db.close();
    });
    return found;
  } catch (error) {
    const told = logError(path, error);
    const foreign = told instanceof CorruptLogError ? told.foreign : null;
    throw foreign === null ? told : new ForeignContentError(path, [foreign]);
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

function guarded<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw logError(path, error);
  }
}
