import fc from 'fast-check';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../../log/sqlite.ts';
import { LiveHost } from '../../../machines/live-host.ts';
import { explainRefusal } from '../../../projections/why/refusals.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { temporaryFolder } from '../../log/folder.ts';
import { countOf } from '../../support/effort.ts';
import { readAll } from '../../log/sample.ts';
import { hashesOf, MapShelf, readerOf } from '../../support/map-shelf.ts';
import { anyLog, randomLogs, type Log } from '../../support/random-logs.ts';
import { momentsOf, momentsOfSegments } from './moments.ts';
import { answersFrom, answersOf, askedOf, subjectsIn, type Asked } from './ways.ts';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const shares = fc.tuple(share, share, share);
const whole = fc.constantFrom(3, 7, 64, 100_000);

const RUNS = countOf('logs answered for five ways', { test: 2, soak: 24, full: 400 });

/** The index in memory, with segments of so many events. */
function indexOf(log: Log, size: number): Timeline {
  const timeline = new Timeline({ whole: size });
  for (const event of log) timeline.take(event);
  return timeline;
}

/** What the index makes of a log is on the shelf, as far as it is in whole segments. */
function shelfOf(log: Log, size: number): MapShelf {
  const shelf = new MapShelf(hashesOf(log));
  const timeline = new Timeline({ shelf, reader: readerOf(log), whole: size });
  for (const event of log) timeline.take(event);
  timeline.settle();
  return shelf;
}

/** Goes on from what is on a shelf, and gives where it did. */
function resumed(log: Log, shelf: MapShelf, size: number) {
  const timeline = new Timeline({ shelf, reader: readerOf(log), whole: size });
  const from = timeline.head;
  for (const event of log.slice(from + 1)) timeline.take(event);
  return { timeline, from };
}

describe.each(Object.entries(randomLogs))('a log that is %s has the same answers', (_, logs) => {
  test('from the index, in segments of whatever length', () => {
    fc.assert(
      fc.property(logs, shares, fc.oneof(whole, fc.constant(1)), (log, at, size) => {
        const asked = askedOf(log, at);
        const expected = answersFrom(momentsOf(log), log, asked);
        expect(answersOf(indexOf(log, size), asked)).toEqual(expected);
      }),
      { numRuns: RUNS },
    );
  });

  test('from a checkpoint and the events after it', () => {
    fc.assert(
      fc.property(logs, shares, whole, share, (log, at, size, until) => {
        const asked = askedOf(log, at);
        const shelf = shelfOf(log.slice(0, Math.round(until * log.length)), size);
        shelf.hashes = hashesOf(log);
        const expected = answersFrom(momentsOf(log), log, asked);
        expect(answersOf(resumed(log, shelf, size).timeline, asked)).toEqual(expected);
        expect(shelf.removed).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  test('from segments alone', () => {
    fc.assert(
      fc.property(logs, shares, fc.constantFrom(7, 64), (all, at, size) => {
        const shelf = shelfOf(all, size);
        const sealed = all.slice(0, Math.floor(all.length / size) * size);
        fc.pre(sealed.length > 0);
        const asked = askedOf(sealed, at);
        const files = shelf.files.values();
        const expected = answersFrom(momentsOf(sealed), sealed, asked);
        expect(answersFrom(momentsOfSegments(files), sealed, asked)).toEqual(expected);
      }),
      { numRuns: RUNS },
    );
  });

  const folder = temporaryFolder();
  let files = 0;
  test('from the rows of a log in SQLite', async () => {
    await fc.assert(
      fc.asyncProperty(logs, shares, whole, async (log, at, size) => {
        const store = openSqliteStore(join(folder, `${files++}.ledger`));
        await store.append('host', -1, log);
        const rows = await readAll(store, 'host');
        await store.close();
        const asked = askedOf(log, at);
        const expected = answersFrom(momentsOf(rows), rows, asked);
        expect(answersOf(indexOf(log, size), asked)).toEqual(expected);
      }),
      { numRuns: Math.ceil(RUNS / 2) },
    );
  });

  test('from XState itself', () => {
    fc.assert(
      fc.property(logs, shares, whole, (log, at, size) => {
        const asked = askedOf(log, at);
        const expected = answersFrom(
          momentsOf(log, new LiveHost({ engine: 'xstate' })),
          log,
          asked,
        );
        expect(answersOf(indexOf(log, size), asked)).toEqual(expected);
      }),
      { numRuns: Math.ceil(RUNS / 4) },
    );
  });

  test('to which events concern what, and which is the last at an instant', () => {
    fc.assert(
      fc.property(logs, whole, share, share, (log, size, from, to) => {
        const timeline = indexOf(log, size);
        const [first, last] = [from, to].map((part) => Math.floor(part * log.length));
        for (const [key, positions] of subjectsIn(log)) {
          const within = positions.filter((at) => at >= first! && at <= last!);
          expect([...timeline.positionsOf(key)]).toEqual(positions);
          expect([...timeline.positionsOf(key, first, last)]).toEqual(within);
          const before = positions.filter((at) => at <= last!);
          expect([...timeline.positionsBack(key, last)]).toEqual(before.toReversed());
          expect(timeline.knows(key, last)).toBe(true);
        }
        const { time } = log[Math.min(last!, log.length - 1)]!;
        if (time === null) return;
        const expected = log.findLast((event) => event.time !== null && event.time <= time);
        expect(timeline.lastUntil(time)).toBe(expected?.position);
      }),
      { numRuns: RUNS },
    );
  });
});

/** The same, with the histories of devices, files and processes. */
function withHistories(asked: Asked): Asked {
  return { ...asked, histories: asked.subjects };
}

test('no history depends on where segments begin, nor on where it was gone on from', () => {
  fc.assert(
    fc.property(anyLog, share, whole, (log, until, size) => {
      const asked = withHistories(askedOf(log, []));
      const shelf = shelfOf(log.slice(0, Math.round(until * log.length)), size);
      shelf.hashes = hashesOf(log);
      const expected = answersOf(indexOf(log, 100_000), asked);
      expect(answersOf(resumed(log, shelf, size).timeline, asked)).toEqual(expected);
    }),
    { numRuns: RUNS },
  );
});

test('why it was refused does not depend on where segments begin', () => {
  fc.assert(
    fc.property(randomLogs.recorded, share, whole, (log, at, size) => {
      const refusals = log.filter(({ type }) => type === 'operation.refused');
      const refusal = refusals[Math.floor(at * refusals.length)];
      if (refusal === undefined) return;
      const { timeline } = resumed(log, shelfOf(log, size), size);
      const expected = explainRefusal(indexOf(log, 100_000), refusal.position);
      expect(explainRefusal(timeline, refusal.position)).toEqual(expected);
    }),
    { numRuns: RUNS },
  );
});
