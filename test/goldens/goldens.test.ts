/**
 * The answers are those that were frozen. `npm run goldens` says more of a difference;
 * CONTRIBUTING.md, what becomes of one that is meant.
 */
import { describe, expect, test } from 'vitest';
import { isCampaign } from '../support/effort.ts';
import { compare } from './frozen.ts';
import { aPart, differenceLine, everything } from './golden.ts';
import { sets } from './logs.ts';

/** Recordings that are read while somebody waits; the others take minutes. */
const short = /^(?:corpus|evidence|unseen-hosts|linux-7\.3-(?:questions|ownership|resets))$/;
const asked = isCampaign ? sets : sets.filter(({ name }) => short.test(name));

describe.each(asked)('the answers about $name', (set) => {
  test('are those that were frozen', { timeout: 600_000 }, async () => {
    const isWhole = isCampaign || set.name === 'corpus';
    const choice = isWhole ? everything : aPart;
    const { differences, logs, compared } = await compare(set, { choice, every: isWhole ? 1 : 25 });
    if (isCampaign) {
      process.stdout.write(`campaign goldens of ${set.name}: ${compared} of ${logs} logs\n`);
    }
    expect(compared).toBeGreaterThan(0);
    expect(differences.map(differenceLine)).toEqual([]);
  });
});
