/**
 * Logs at random, of every kind: recorded on kernels, made on a host that is busy, and such as no
 * kernel could have let happen.
 *
 * @module
 */
import fc from 'fast-check';
import { hostHistory } from '../../bench/host.ts';
import type { Fact, LedgerEvent, Placed } from '../../events/vocabulary.ts';
import { readEvidence } from '../../ledger.ts';
import { anyEvidence } from './any-evidence.ts';
import { evidence } from './random-evidence.ts';
import { firstSequences, kernelsAsked, textOf } from './truth.ts';

export type Log = readonly Placed<LedgerEvent>[];

/** Events in their places, under ids of their own. */
export function placed(events: readonly (Fact & { readonly time?: string | null })[]): Log {
  return events.map(({ type, data, time = null }, position) => {
    return { type, data, time, position, id: `e${position}` } as Placed<LedgerEvent>;
  });
}

/** A host that was busy for so many events. */
export function busyHost(count: number, seed: number): Log {
  return placed([...hostHistory(count, seed)]);
}

/** What was recorded, from boot to boot. */
const boots = (
  await Promise.all(
    ['drivers', 'flows'].flatMap((suite) =>
      kernelsAsked(suite).map(async (kernel) => {
        const text = firstSequences(textOf(kernel, suite), 60);
        const collected = await readEvidence([{ name: suite, chunks: [text] }]);
        const events = await collected.events.all();
        const starts = events.flatMap(({ type }, at) => (type === 'host.booted' ? at : []));
        return starts.map((start, index) => events.slice(start, starts[index + 1]));
      }),
    ),
  )
).flat();

const recorded: fc.Arbitrary<Log> = fc
  .array(fc.constantFrom(...boots), { minLength: 1, maxLength: 6 })
  .map((some) => placed(some.flat()));

const busy: fc.Arbitrary<Log> = fc
  .tuple(fc.integer({ min: 30, max: 250 }), fc.integer({ min: 1, max: 1_000_000 }))
  .map(([count, seed]) => busyHost(count, seed));

const contradictory: fc.Arbitrary<Log> = fc
  .array(fc.oneof(anyEvidence, evidence), { minLength: 1, maxLength: 3 })
  .map((logs) => placed(logs.flat()));

export const randomLogs = { recorded, busy, contradictory };
export const anyLog: fc.Arbitrary<Log> = fc.oneof(recorded, busy, contradictory);
