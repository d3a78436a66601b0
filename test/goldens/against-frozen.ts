/** Tests that the answers are those that were frozen: all of them in a campaign. */
import { describe, expect, test } from 'vitest';
import { countOf, isCampaign } from '../support/effort.ts';
import { compare } from './frozen.ts';
import { aPart, differenceLine, everything } from './golden.ts';
import type { FrozenSet } from './logs.ts';

const EVERY = countOf('recordings of which one is compared', { test: 60, soak: 3, full: 1 });

export function testAgainstFrozen(sets: readonly FrozenSet[]): void {
  describe.each(sets)('the answers about $name', (set) => {
    test('are those that were frozen', async () => {
      const isWhole = isCampaign || set.name === 'corpus';
      const choice = isWhole ? everything : aPart;
      const { differences, logs, compared } = await compare(set, {
        choice,
        every: isWhole && !set.name.startsWith('linux-') ? 1 : EVERY,
      });
      if (isCampaign) {
        process.stdout.write(`campaign goldens of ${set.name}: ${compared} of ${logs} logs\n`);
      }
      expect(compared).toBeGreaterThan(0);
      expect(differences.map(differenceLine)).toEqual([]);
    });
  });
}
