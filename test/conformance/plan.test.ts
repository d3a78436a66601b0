import { describe, expect, test } from 'vitest';
import { allTransitions, ObservedHost } from '../../conformance/coverage.ts';
import { reasonFor } from '../../conformance/reasons.ts';
import { longLivedPlan, plan } from '../../conformance/sequences/plan.ts';
import type { Sequence } from '../../host/simulation.ts';
import { countOf, inCampaigns, isCampaign } from '../support/effort.ts';
import { kernelsAsked, recording } from '../support/truth.ts';

const textOf = ({ name, operations }: Sequence): string =>
  [name, ...operations.map(({ process, text }) => `@${process} ${text}`)].join('\n');

const seconds = 1000;
const PLANNED = countOf('operations planned', { test: 250, soak: 5000, full: 100_000 });
/** The paths of later kernels are many. */
const kernels = isCampaign ? kernelsAsked('questions') : kernelsAsked('questions').slice(0, 1);

describe.each(kernels)('what a kernel of %s is asked', (profile) => {
  const { topology } = recording(profile, 'questions');
  const asked = (operations: number, seed: number) => [
    ...plan(topology, profile, { operations, seed }),
  ];

  test.each(inCampaigns)('follows from the seed, %s', { timeout: 120 * seconds }, () => {
    const [first, again, other] = [asked(150, 7), asked(150, 7), asked(150, 8)];
    expect(first.map(textOf)).toEqual(again.map(textOf));
    expect(first.map(textOf)).not.toEqual(other.map(textOf));
  });

  test(
    'is as many operations as were called for, and takes every transition that there is a way to',
    {
      timeout: 280 * seconds,
    },
    () => {
      const sequences = asked(PLANNED, 7);
      expect(sequences.flatMap(({ operations }) => operations)).toHaveLength(PLANNED);
      expect(new Set(sequences.map(({ name }) => name)).size).toBe(sequences.length);
      const taken = new Set<string>();
      for (const { name, operations } of sequences) {
        const observed = new ObservedHost(topology, profile);
        for (const item of observed.boot(name)) taken.add(item);
        for (const statement of operations) {
          for (const item of observed.play(statement).items) taken.add(item);
        }
      }
      const missed = allTransitions(profile).filter(
        ({ item }) => !taken.has(item) && reasonFor(profile, item) === null,
      );
      // Fewer than ten thousand do not come to all of them.
      if (PLANNED >= 10_000) expect(missed).toEqual([]);
      else expect(taken.size).toBeGreaterThan(missed.length);
    },
  );
});

describe.each(kernelsAsked('questions').slice(-1))('hosts that live long, on %s,', (profile) => {
  const { topology } = recording(profile, 'questions');
  const asked = (seed: number) => [...longLivedPlan(topology, profile, { operations: 2000, seed })];
  const sequences = asked(7);
  const operations = sequences.flatMap((sequence) => sequence.operations);

  test('follow from the seed', { timeout: 120 * seconds }, () => {
    expect(asked(7).map(textOf)).toEqual(sequences.map(textOf));
    expect(asked(8).map(textOf)).not.toEqual(sequences.map(textOf));
  });

  test('have 60 to 300 operations, and as many as were called for in all', () => {
    expect(operations).toHaveLength(2000);
    for (const { operations: own } of sequences.slice(0, -1)) {
      expect(own.length).toBeGreaterThanOrEqual(60);
      expect(own.length).toBeLessThanOrEqual(300);
    }
  });

  test('have many processes, which mix containers, iommufds and cdevs', () => {
    const processesOf = (sequence: Sequence) =>
      new Set(sequence.operations.map(({ process }) => process)).size;
    expect(Math.max(...sequences.map(processesOf))).toBe(8);
    const inOne = sequences.map(
      (sequence) => new Set(sequence.operations.map((one) => one.operation)),
    );
    const mixed = [
      'open_container',
      'open_iommufd',
      'open_cdev',
      'open_group',
      'set_driver',
    ] as const;
    expect(inOne.some((met) => mixed.every((name) => met.has(name)))).toBe(true);
    const met = new Set(operations.map((one) => one.operation));
    const all = ['fork', 'spawn', 'exec', 'exit', 'kill', 'send', 'dup2', 'ioas_map', 'mmap'];
    expect(all.filter((name) => !met.has(name as never))).toEqual([]);
  });
});
