/**
 * Translates errors of SQLite and of the file system to those of the store's contract.
 *
 * @module
 */
import { isError } from '../events/is-error.ts';
import { CorruptLogError, StoreUnavailableError } from './store.ts';

/** Primary result codes (https://sqlite.org/rescode.html). Any other code is a bug of ours. */
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
 * Extended codes of writes without room: IOERR_WRITE, IOERR_TRUNCATE and IOERR_SHMSIZE. SQLite returns
 * them at a limit of the file size, and on a full disk under a -shm.
 */
const writes: ReadonlySet<number> = new Set([778, 1546, 4874]);

const unavailable: Readonly<Record<string, string>> = {
  PERM: 'cannot be opened: permission denied',
  BUSY: 'is locked by another process',
  LOCKED: 'is locked by another connection',
  NOMEM: 'cannot be read or written: out of memory',
  READONLY: 'is read-only, or its folder is',
  IOERR: 'cannot be read or written: input/output error',
  WRITE: 'cannot be written: no space left, or the limit for file sizes is reached',
  FULL: 'cannot be written: no space left',
  CANTOPEN: 'cannot be opened: permission denied for it, or for the files -wal and -shm beside it',
  PROTOCOL: 'cannot be locked',
  NOLFS: 'is too large for this file system',
  ENOSPC: 'cannot be written: no space left',
  EDQUOT: 'cannot be written: the quota of the user is used up',
  EFBIG: 'cannot be written: the limit for file sizes is reached',
  EROFS: 'cannot be written: the file system is read-only',
};

/**
 * Codes that mean a damaged file. Our statements are right, so `ERROR` is a table that is not the one
 * created, and `CONSTRAINT` a row that the index does not have.
 */
const damage: ReadonlySet<string> = new Set([
  'ERROR',
  'CORRUPT',
  'CONSTRAINT',
  'NOTADB',
  'ERR_OUT_OF_RANGE',
]);

/** The name of the SQLite result code, or Node's error code; empty if the error has neither. */
export function codeOf(error: unknown): string {
  if (!isError(error) || !('code' in error)) return '';
  if (error.code !== 'ERR_SQLITE_ERROR') return String(error.code);
  const extended = 'errcode' in error ? Number(error.errcode) : 0;
  if (writes.has(extended)) return 'WRITE';
  const number = extended & 0xff;
  return codes[number] ?? `SQLITE ${number}`;
}

/** Whether an error means that the file is damaged, rather than that its surroundings failed. */
export function isDamage(error: unknown): boolean {
  return damage.has(codeOf(error));
}

/**
 * The `CorruptLogError` or `StoreUnavailableError` for an error of SQLite or the file system. Any other
 * error is returned unchanged. `position` is that of the event that was read, if one was.
 */
export function logError(path: string, error: unknown, position: number | null = null): unknown {
  if (!isError(error)) return error;
  if (isDamage(error)) {
    return new CorruptLogError(position, `${path} is damaged: ${error.message}`);
  }
  const code = codeOf(error);
  if (code === 'ERR_INVALID_STATE') return new StoreUnavailableError(`${path} is closed`);
  const ofSystem = 'syscall' in error ? `cannot be opened: ${error.message}` : undefined;
  const reason = unavailable[code] ?? ofSystem;
  return reason === undefined
    ? error
    : new StoreUnavailableError(`${path} ${reason}`, { cause: error });
}
