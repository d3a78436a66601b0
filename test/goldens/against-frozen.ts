/** Tests that the answers are those that were frozen: all of them in a campaign. */
import { describe, expect, test } from 'vitest';
import { countOf, isCampaign, oneIn } from '../support/effort.ts';
import { compare } from './frozen.ts';
import { aPart, differenceLine, everything } from './golden.ts';
import { sets, type FrozenSet } from './logs.ts';

export function testAgainstFrozen(sets: readonly FrozenSet[]): void {
  describe.each(sets)('the answers about $name', (set) => {
    test('are those that were frozen', async () => {
      const isWhole = isCampaign || set.name === 'corpus';
      const choice = isWhole ? everything : aPart;
      const { differences, logs, compared } = await compare(set, {
        choice,
        every: isWhole ? 1 : 60,
      });
      if (isCampaign) {
        process.stdout.write(`campaign goldens of ${set.name}: ${compared} of ${logs} logs\n`);
      }
      expect(compared).toBeGreaterThan(0);
      expect(differences.map(differenceLine)).toEqual([]);
    });
  });
}

/** Tests the answers about the recordings of a kernel; in a campaign about a part of them. */
export function testRecordingsOf(kernel: string): void {
  const every = countOf('recordings of which one is compared', { test: 3, soak: 3, full: 1 });
  const all = sets.filter(({ name }) => name.startsWith(`${kernel}-`));
  testAgainstFrozen(oneIn(every, all));
}
