/**
 * Waiting for one's turn to write a log file.
 *
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import { codeOf } from './sqlite-errors.ts';

/** How long SQLite itself waits for a lock on a connection that is used with `patiently`, in ms. */
export const ATTEMPT_MS = 20;

/**
 * Acts once no other process stands in the way, for which it waits up to `timeout` ms.
 *
 * SQLite by itself asks again after ever longer pauses, up to 100 ms, and among many writers one of
 * them would not find a gap for seconds: so it is made to ask from the start again and again.
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

/** Begins to write, once nobody else does. */
export function begin(db: DatabaseSync, timeout: number): void {
  patiently(timeout, () => db.exec('BEGIN IMMEDIATE'));
}
