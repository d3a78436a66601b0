/**
 * Waiting for the write lock of a log file.
 *
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import { codeOf } from './sqlite-errors.ts';

/** SQLite's own busy timeout for connections that are used with `patiently`, in ms. */
export const ATTEMPT_MS = 20;

/**
 * Calls `act`, and again while it throws SQLITE_BUSY, for up to `timeout` ms. Then throws that error.
 *
 * SQLite's own busy handler retries after ever longer pauses, up to 100 ms. Among many writers, one of
 * them might not find a gap for seconds, so its short pauses are started again each time.
 */
export function patiently(timeout: number, act: () => void): void {
  const until = performance.now() + timeout;
  for (;;) {
    try {
      act();
      return;
    } catch (error) {
      if (codeOf(error) !== 'BUSY' || performance.now() >= until) throw error;
    }
  }
}

/** Begins a write transaction. Waits up to `timeout` ms for another writer to finish. */
export function begin(db: DatabaseSync, timeout: number): void {
  patiently(timeout, () => db.exec('BEGIN IMMEDIATE'));
}
