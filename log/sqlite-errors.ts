/**
 * SQLite's and the file system's failures, as the errors of the contract.
 *
 * @module
 */
import { CorruptLogError, StoreUnavailableError } from './store.ts';

/** Primary result codes, https://sqlite.org/rescode.html; others are faults of ours. */
const codes: Readonly<Record<number, string>> = {
  1: 'ERROR',
  3: 'PERM',
  5: 'BUSY',
  6: 'LOCKED',
  7: 'NOMEM',
  8: 'READONLY',
  10: 'IOERR',
  11: 'CORRUPT',
  13: 'FULL',
  14: 'CANTOPEN',
  15: 'PROTOCOL',
  19: 'CONSTRAINT',
  22: 'NOLFS',
  26: 'NOTADB',
};

/**
 * Extended codes of writes that find no room; IOERR_WRITE, _TRUNCATE and _SHMSIZE are what a limit
 * for the size of files and a full disk beneath a -shm come to.
 */
const writes: ReadonlySet<number> = new Set([778, 1546, 4874]);

const unavailable: Readonly<Record<string, string>> = {
  PERM: 'cannot be opened: permission denied',
  BUSY: 'is locked by another process',
  LOCKED: 'is locked by another connection',
  NOMEM: 'cannot be read or written: out of memory',
  READONLY: 'is read-only, or its folder is',
  IOERR: 'cannot be read or written: input/output error',
  WRITE: 'cannot be written: no space left, or not for files of that size',
  FULL: 'cannot be written: no space left',
  CANTOPEN: 'cannot be opened: the file, or the -wal and -shm beside it, may not be used',
  PROTOCOL: 'cannot be locked',
  NOLFS: 'is too large for this file system',
};

/**
 * `ERROR` is a table that is not what was created, `CONSTRAINT` a row where the index says that
 * there is none: the statements are right, so the file is not.
 */
const damage: ReadonlySet<string> = new Set([
  'ERROR',
  'CORRUPT',
  'CONSTRAINT',
  'NOTADB',
  'ERR_OUT_OF_RANGE',
]);

/** The name of the SQLite result code, or of Node's own; empty where the error has none. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  if (error.code !== 'ERR_SQLITE_ERROR') return String(error.code);
  const extended = 'errcode' in error ? Number(error.errcode) : 0;
  if (writes.has(extended)) return 'WRITE';
  const number = extended & 0xff;
  return codes[number] ?? `SQLITE ${number}`;
}

/** Whether the file is not what was written to it; otherwise its surroundings failed. */
export function isDamage(error: unknown): boolean {
  return damage.has(codeOf(error));
}

/**
 * The error of the contract that says it; any other comes back as it is. `position` is the event
 * that was asked for, if it was one.
 */
export function logError(path: string, error: unknown, position: number | null = null): unknown {
  if (!(error instanceof Error)) return error;
  if (isDamage(error)) {
    return new CorruptLogError(position, `${path} is damaged: ${error.message}`);
  }
  const code = codeOf(error);
  if (code === 'ERR_INVALID_STATE') return new StoreUnavailableError(`${path} is closed`);
  const reason = 'syscall' in error ? `cannot be opened: ${error.message}` : unavailable[code];
  return reason === undefined
    ? error
    : new StoreUnavailableError(`${path} ${reason}`, { cause: error });
}
