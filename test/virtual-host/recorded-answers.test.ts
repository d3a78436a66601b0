/**
 * The virtual host answers what real kernels have answered, called through its typed methods and
 * through system calls with bytes.
 */
import { describe, expect, test } from 'vitest';
import { differenceOf } from '../../conformance/agreement.ts';
import { textGiven } from '../../events/given.ts';
import { newestKernel, type Profile } from '../../machines/profile.ts';
import { byBytes, told } from '../support/by-bytes.ts';
import { byMethod, callerOn } from '../support/by-method.ts';
import { callsOf } from '../support/recorded-calls.ts';
import { isCampaign } from '../support/effort.ts';
import { recordings } from '../support/truth.ts';

const asked = recordings().filter(
  ([profile, name]) =>
    isCampaign || (profile === newestKernel && ['ownership', 'resets', 'questions'].includes(name)),
);

function differences(profile: Profile, name: string, way: typeof byMethod) {
  const wrong: string[] = [];
  let count = 0;
  const calls = callsOf(profile, name, (topology) => callerOn(topology, profile, way));
  for (const { where, recorded, made } of calls) {
    count++;
    const found = new Map<string, unknown>(Object.entries(made));
    for (const key of ['devid', 'pt_id', 'flags', 'regions', 'irqs']) {
      const ours = found.get(key);
      if (ours === undefined || recorded.rc === -1 || recorded[key] === ours) continue;
      wrong.push(
        `${where}: the kernel says ${key} ${String(recorded[key])}, we say ${textGiven(ours)}`,
      );
    }
    const difference = differenceOf(recorded, made);
    if (difference === null) continue;
    wrong.push(`${where}: the kernel says ${difference.kernel}, we say ${difference.ours}`);
  }
  expect(count).toBeGreaterThan(10);
  return wrong.slice(0, 5);
}

describe('the typed methods answer as the kernel did', () => {
  test.each(asked)('%s: %s', (profile, name) => {
    expect(differences(profile, name, byMethod)).toEqual([]);
  });
});

describe('system calls with bytes answer as the kernel did', () => {
  test.each(asked)('%s: %s', (profile, name) => {
    const before = told.calls;
    expect(differences(profile, name, byBytes)).toEqual([]);
    expect(told.calls - before).toBeGreaterThan(5);
  });
});
