import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LedgerEvent } from '../../events/vocabulary.ts';
import { openLedger, type Coverage, type Ledger } from '../../ledger.ts';
import { bareOwnerAt } from '../../projections/owner-at.ts';
import { coverageOf, type FoundCoverage } from '../../projections/coverage.ts';
import { Timeline } from '../../projections/timeline.ts';
import { countOf } from '../support/effort.ts';
import { hashesOf, MapShelf, readerOf } from '../support/map-shelf.ts';
import { partlySeen } from '../support/partly-seen.ts';
import { anyLog, busyHost, type Log } from '../support/random-logs.ts';
import { firstSequences, textOf } from '../support/truth.ts';

function timelineOf(log: Log, first = 0): Timeline {
  const timeline = new Timeline({ first });
  for (const event of log.slice(first)) timeline.take(event);
  return timeline;
}

const wholeOf = (timeline: Timeline): FoundCoverage =>
  coverageOf(timeline, { subject: null, from: -1, to: timeline.head });

const ofGroup = (timeline: Timeline, id: string): FoundCoverage =>
  coverageOf(timeline, { subject: { kind: 'group', id }, from: -1, to: timeline.head });

/** Whether the state after each position lies in an interval that is not covered. */
function uncoveredAt(
  unknown: readonly { readonly from: number | null; readonly to: number | null }[],
  length: number,
): boolean[] {
  return Array.from({ length }, (_, at) =>
    unknown.some(({ from, to }) => (from ?? 0) <= at && at < (to ?? Infinity)),
  );
}

describe('logs of which only parts were seen', () => {
  test('all processes were seen where the log tells that they were, and nowhere else', () => {
    fc.assert(
      fc.property(partlySeen, ({ log, known, watched, missed }) => {
        const unknown = wholeOf(timelineOf(log)).unknown.filter(({ subject }) => subject === null);
        const uncovered = uncoveredAt(unknown, log.length);
        for (const at of log.keys()) {
          const isSeen = known[at] === true && (watched[at] === true || at === log.length - 1);
          expect(uncovered[at], `position ${at} of ${JSON.stringify(unknown)}`).toBe(!isSeen);
          if (missed[at] === true) expect(uncovered[at], `position ${at}`).toBe(true);
        }
      }),
      { numRuns: countOf('coverage-of-hosts', { test: 30, soak: 2500, full: 5000 }) },
    );
  });

  test('a group is not covered where the host is not, in a gap, or with an unknown owner', () => {
    fc.assert(
      fc.property(partlySeen, ({ log, gaps }) => {
        const timeline = timelineOf(log);
        const whole = wholeOf(timeline).unknown;
        const host = uncoveredAt(
          whole.filter(({ subject }) => subject === null),
          log.length,
        );
        for (const group of new Set([...timeline.groups(), '0', '1'])) {
          const { unknown } = ofGroup(timeline, group);
          expect(unknown.map(({ subject }) => subject)).toEqual(unknown.map(() => group));
          const uncovered = uncoveredAt(unknown, log.length);
          const listed = uncoveredAt(
            whole.filter(({ subject }) => subject === null || subject === group),
            log.length,
          );
          expect(listed).toEqual(uncovered);
          for (const at of log.keys()) {
            const isUnknown = bareOwnerAt(timeline, group, at).kind === 'unknown';
            const isUncovered = host[at] === true || isUnknown || gaps[at]?.has(group) === true;
            expect(uncovered[at], `group ${group} at ${at}`).toBe(isUncovered);
          }
        }
      }),
      { numRuns: countOf('coverage-of-groups', { test: 20, soak: 2000 }) },
    );
  });

  test('intervals ascend, do not overlap, and lie in the range that was asked about', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(partlySeen, share, share, ({ log }, one, other) => {
        if (log.length === 0) return;
        const timeline = timelineOf(log);
        const ends = [one, other].map((part) => Math.floor(part * (log.length - 1)));
        const [from = 0, to = 0] = ends.toSorted((a, b) => a - b);
        for (const group of timeline.groups()) {
          const subject = { kind: 'group', id: group } as const;
          const { unknown } = coverageOf(timeline, { subject, from, to });
          let last = from;
          for (const each of unknown) {
            expect(each.from).toBeGreaterThanOrEqual(last);
            last = each.to ?? log.length;
            expect(each.from).toBeLessThan(last);
          }
          expect(last).toBeLessThanOrEqual(to + 1);
          const whole = uncoveredAt(ofGroup(timeline, group).unknown, log.length);
          const part = uncoveredAt(unknown, log.length);
          expect(part.slice(from, to + 1)).toEqual(whole.slice(from, to + 1));
        }
      }),
      { numRuns: countOf('coverage-of-ranges', { test: 15, soak: 1000 }) },
    );
  });

  test('the index answers the same when it was stored and taken up again', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          partlySeen.map(({ log }) => log),
          anyLog,
        ),
        (log) => {
          const options = { shelf: new MapShelf(hashesOf(log)), reader: readerOf(log), whole: 7 };
          for (let turn = 0; turn < 2; turn++) {
            const timeline = new Timeline(options);
            for (const event of log.slice(timeline.head + 1)) timeline.take(event);
            timeline.settle();
            expect(wholeOf(timeline)).toEqual(wholeOf(timelineOf(log)));
            const half = Math.floor(log.length / 2);
            const fork = timeline.fork(half - 1);
            expect(wholeOf(fork)).toEqual(wholeOf(timelineOf(log.slice(0, half))));
          }
        },
      ),
      { numRuns: countOf('coverage-in-the-index', { test: 15, soak: 1000 }) },
    );
  });
});

describe('logs of a kernel that was simulated or asked', () => {
  test('a simulation is covered from its first event to its last', () => {
    const log = busyHost(500, 7);
    const [first, last] = [log[0]?.time, log[499]?.time];
    expect(wholeOf(timelineOf(log))).toEqual({
      from: 0,
      to: 499,
      fromTime: first,
      toTime: last,
      unknown: [],
    });
  });

  test('recorded answers are, too', async () => {
    await using ledger = await openLedger(':memory:');
    await ledger.import(firstSequences(textOf('linux-6.12', 'flows'), 60), { format: 'truth' });
    expect(ledger.coverage()).toMatchObject({ from: 0, to: ledger.head.position, unknown: [] });
    const { group } = ledger.at('end').table().groups[0]!;
    expect(ledger.coverage({ subject: group }).unknown).toEqual([]);
  });

  test('of older events that were removed nothing is known, up to the next boot', () => {
    const log = [...busyHost(40, 3), ...busyHost(40, 4)].map((event, position) => {
      return { ...event, position, id: `e${position}` };
    });
    const { from, unknown } = wholeOf(timelineOf(log, 10));
    expect(from).toBe(0);
    expect(unknown.map((each) => ({ ...each, reason: each.reason.kind }))).toMatchObject([
      { subject: null, from: 0, to: 10, reason: 'removed' },
      { subject: null, from: 10, to: 40, reason: 'not-watched' },
    ]);
  });
});

test('after its last event a log covers nothing', async () => {
  await using ledger = await openLedger(':memory:', { clock: () => new Date('2027-01-01') });
  const events = busyHost(60, 5).map(({ id, type, data, time }) => ({ id, type, data, time }));
  await ledger.append(-1, events as LedgerEvent[]);
  await ledger.refresh();
  expect(ledger.coverage({ from: 10, to: 'end' }).unknown).toEqual([]);
  const { unknown, logEnds } = ledger.coverage({ from: 10, to: '2026-12-01' });
  expect(unknown).toMatchObject([{ from: 59, to: null, reason: 'the log ends there' }]);
  expect(logEnds).toEqual({ position: 59, time: ledger.event(59)?.time });
});

const trace = [
  '1754300000.000001 openat(AT_FDCWD, "/dev/vfio/26", O_RDWR) = 3',
  '1754300000.100000 close(3) = 0',
]
  .map((line) => `4711  ${line}`)
  .join('\n');

const reasonsOf = ({ unknown }: Coverage) => unknown.map(({ reason }) => reason);

async function ledgerWith(text: string, format: string): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.import(text, { format });
  return ledger;
}

describe('sources that show some processes', () => {
  test('strace alone covers nothing', async () => {
    await using ledger = await ledgerWith(trace, 'strace');
    const { from, to, unknown } = ledger.coverage({ subject: '26' });
    expect({ from, to }).toEqual({ from: 0, to: ledger.head.position });
    expect(unknown).toMatchObject([
      {
        subject: '26',
        from: 0,
        to: null,
        reason: 'only some processes were seen (strace from text)',
      },
    ]);
    expect(ledger.verify().coverage).toEqual(ledger.coverage());
  });

  test('a log without events covers nothing', async () => {
    await using ledger = await openLedger(':memory:');
    expect(reasonsOf(ledger.coverage())).toEqual(['the log has no event']);
  });

  test('a range that ends before it begins is refused', async () => {
    await using ledger = await ledgerWith(trace, 'strace');
    expect(() => ledger.coverage({ from: 3, to: 2 })).toThrow(
      expect.objectContaining({ code: 'bad-request' }) as Error,
    );
  });
});
