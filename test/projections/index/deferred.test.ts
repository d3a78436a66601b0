import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Timeline } from '../../../projections/timeline.ts';
import { anyHistory, segmentLengths } from '../../support/any-history.ts';
import { countOf } from '../../support/effort.ts';
import type { Log } from '../../support/random-logs.ts';
import { answersOfAll, pastOf } from './all-questions.ts';

const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 });

/** A timeline that has taken a log, and was asked about the past after some of its events. */
function taken(log: Log, whole: number, options: { isDeferred: boolean; asked: Set<number> }) {
  const timeline = new Timeline({ whole, isDeferred: options.isDeferred });
  for (const event of log) {
    timeline.take(event);
    if (options.asked.has(event.position)) answersOfAll(pastOf(timeline), log);
  }
  return timeline;
}

test('events that are indexed only when a question is asked answer as if indexed at once', () => {
  fc.assert(
    fc.property(anyHistory, segmentLengths, shares, (log, whole, parts) => {
      const asked = new Set(parts.map((part) => Math.round(part * (log.length - 1))));
      const atOnce = taken(log, whole, { isDeferred: false, asked: new Set() });
      const deferred = taken(log, whole, { isDeferred: true, asked });
      expect(deferred.host.save()).toEqual(atOnce.host.save());
      expect(deferred.head).toBe(atOnce.head);
      expect(answersOfAll(pastOf(deferred), log)).toEqual(answersOfAll(pastOf(atOnce), log));
    }),
    { numRuns: countOf('logs that are indexed when asked', { test: 8, soak: 100, full: 1000 }) },
  );
});

test('a fork of them has what was not indexed yet, and takes events of its own', () => {
  fc.assert(
    fc.property(anyHistory, segmentLengths, shares, (log, whole, [part = 1]) => {
      const position = Math.round(part * log.length) - 1;
      const options = { isDeferred: true, asked: new Set<number>() };
      const fork = taken(log, whole, options).fork(position);
      for (const event of log.slice(position + 1)) fork.take(event);
      const atOnce = taken(log, whole, { isDeferred: false, asked: new Set() }).fork(position);
      for (const event of log.slice(position + 1)) atOnce.take(event);
      expect(answersOfAll(pastOf(fork), log)).toEqual(answersOfAll(pastOf(atOnce), log));
    }),
    { numRuns: countOf('forks that are indexed when asked', { test: 8, soak: 100, full: 1000 }) },
  );
});
