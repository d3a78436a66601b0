/**
 * The seed of random tests: one for each commit, so that what fails on one machine fails on every
 * other, and the next commit tries something new. `VFIO_LEDGER_SEED` sets another.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';

/** The environment variable that has the seed, a 32-bit integer in decimal digits. */
export const SEED = 'VFIO_LEDGER_SEED';

/** The seed that is set, else the commit's; without either, one by the clock. */
export function seedOf({ [SEED]: given }: NodeJS.ProcessEnv): string {
  if (given !== undefined) return given;
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' });
  const [digits] = /^[0-9a-f]{7}/.exec(stdout ?? '') ?? [];
  return String(digits === undefined ? Date.now() % 2 ** 28 : Number.parseInt(digits, 16));
}
