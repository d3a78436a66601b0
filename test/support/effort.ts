/**
 * How much a test does: a little where a person waits for it (`npm test`), as much as finds what is
 * rare in a campaign (`npm run test:soak`), and what an issue has asked for with `--full`.
 *
 * @module
 */

import { SEED } from './seed.ts';

type Effort = 'test' | 'soak' | 'full';

/** Environment variables by which `test/soak/main.ts` tells the tests. */
export const EFFORT = 'VFIO_LEDGER_EFFORT';
export const COUNTS = 'VFIO_LEDGER_COUNTS';
/** Environment variable for a run with the counts of `npm test` that leaves out no share. */
export const WHOLE = 'VFIO_LEDGER_WHOLE';

const effort = (process.env[EFFORT] ?? 'test') as Effort;
const given = JSON.parse(process.env[COUNTS] ?? '{}') as Readonly<Record<string, number>>;

/** The seed of the run, where there is one: which share is tested differs from week to week. */
const SHARE = Math.abs(Number(process.env[SEED] ?? 0));

/** Whether this is a campaign. */
export const isCampaign = effort !== 'test';

/** For `test.each`: what takes long and is seldom wrong is tested in campaigns alone. */
export const inCampaigns: readonly string[] = isCampaign ? ['in a campaign'] : [];

/**
 * One in `every` of what is tested alike, at least one, from where the seed says; in a campaign all.
 */
export function someOf<T>(all: readonly T[], every: number): readonly T[] {
  const isWhole = isCampaign || process.env[WHOLE] !== undefined;
  return isWhole ? all : oneIn(every, all);
}

/** One in so many, from where the seed says: where even a campaign would take too long for all. */
export function oneIn<T>(every: number, all: readonly T[]): readonly T[] {
  const steps = Math.min(every, all.length);
  return all.filter((_, index) => index % steps === SHARE % steps);
}

/**
 * The count of a campaign by its name, which `npm run test:soak -- --count NAME=N` sets; printed
 * where somebody wants to know how much was done.
 */
export function countOf(
  name: string,
  {
    test,
    soak,
    full = soak,
  }: { readonly test: number; readonly soak: number; readonly full?: number },
): number {
  const count = given[name] ?? { test, soak, full }[effort];
  if (isCampaign) process.stdout.write(`campaign ${name}: ${count}\n`);
  return count;
}
