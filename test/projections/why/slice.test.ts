import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hostHistory } from '../../../bench/host.ts';
import type { Call, Placed } from '../../../events/vocabulary.ts';
import { LiveHost } from '../../../machines/live-host.ts';
import { takeIfPossible } from '../../../projections/why/possible.ts';
import { explainRefusal } from '../../../projections/why/refusals.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { countOf } from '../../support/effort.ts';

/** The whole of a boot up to an attempt, without an event and what it alone made possible. */
function passesWithout(events: readonly Placed[], attempt: Placed, out: number | null): boolean {
  const host = new LiveHost();
  for (const event of events) {
    if (event.position >= attempt.position) break;
    if (event.position !== out) takeIfPossible(host, event);
  }
  return host.judge(attempt.data as Call) === null;
}

/** A process that keeps the caller's files as they are, and makes the same call again. */
function keptBy(host: LiveHost, { position, data }: Placed): Call {
  const call = data as Call & Record<string, unknown>;
  const fds = ['fd', 'iommufd', 'container'].flatMap((key) => {
    const fd = call[key];
    return typeof fd === 'number' ? [fd] : [];
  });
  const { pid } = data as { pid: number };
  if (!('fd' in call) || fds.some((fd) => host.processTable.file(pid, fd) === undefined))
    return call;
  const [keeper, started] = [99_999_999, { comm: 'keeper', cgroup: null }];
  host.take({ type: 'process.started', data: { pid: keeper, ...started }, position });
  for (const fd of fds) {
    const data2 = { pid, fd, to: keeper, as: fd };
    host.take({ type: 'descriptor.passed', data: data2, position });
  }
  return { ...call, pid: keeper } as Call;
}

function passesAfter(events: readonly Placed[], attempt: Placed): number | null {
  const host = new LiveHost();
  let again: Call | null = null;
  for (const event of events) {
    if (event.position > attempt.position) again ??= keptBy(host, attempt);
    host.take(event);
    if (again !== null && host.judge(again) === null) return event.position;
  }
  return null;
}

const noEvent = new Set(['malformed-argument', 'unsupported', 'not-ownership', 'unknown']);

test('what has to do with an attempt decides as the whole boot does', () => {
  let [explained, decided] = [0, 0];
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (seed, share) => {
        const events = [...hostHistory(1200, seed)].map((event, position) => ({
          ...event,
          position,
        }));
        const timeline = new Timeline({ whole: 500 });
        for (const event of events) timeline.take(event);
        const refused = events.filter(({ type, data, position }) => {
          // A wait is no attempt: it tells how an earlier one ended.
          return type === 'operation.refused' && data.operation !== 'bg_wait' && position > 300;
        });
        const attempt = refused[Math.floor(share * (refused.length - 1))];
        if (attempt === undefined) return;
        const why = explainRefusal(timeline, attempt.position);
        if (noEvent.has(why.cause)) return;
        explained++;
        expect(why.wouldPassAfter).toBe(passesAfter(events, attempt));
        const [because, another] = why.because;
        if (another !== undefined) return;
        if (because !== undefined) {
          decided++;
          expect(passesWithout(events, attempt, because)).toBe(true);
        }
        // No event alone that is later decides; where none does, none at all.
        const later = events.filter(({ position, type }) => {
          const isLater = position > (because ?? 0) && position < attempt.position;
          return isLater && type !== 'operation.refused' && type !== 'device.added';
        });
        for (const { position } of later.slice(-150)) {
          expect(passesWithout(events, attempt, position), `without ${position}`).toBe(false);
        }
      },
    ),
    { numRuns: countOf('attempts sliced', { test: 3, soak: 30, full: 300 }), seed: 20261126 },
  );
  expect(explained).toBeGreaterThan(2);
  expect(decided).toBeGreaterThan(1);
});
