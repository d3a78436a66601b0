/**
 * The seed of random tests: one for each week of commits, so that what fails on one machine fails on
 * every other, a mend can be tried with what it mends, and the next week tries something new.
 * `VFIO_LEDGER_SEED` sets another.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';

/** The environment variable that has the seed, a 32-bit integer in decimal digits. */
export const SEED = 'VFIO_LEDGER_SEED';

const WEEK = 7 * 24 * 60 * 60;

/** The seed that is set, else the number of the commit's week; without either, one by the clock. */
export function seedOf({ [SEED]: given }: NodeJS.ProcessEnv): string {
  if (given !== undefined) return given;
  const { stdout } = spawnSync('git', ['show', '-s', '--format=%ct'], { encoding: 'utf8' });
  const seconds = Number.parseInt(stdout ?? '', 10);
  return String(Number.isNaN(seconds) ? Date.now() % 2 ** 28 : Math.floor(seconds / WEEK));
}
