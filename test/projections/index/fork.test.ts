import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HostAtMoment } from '../../../projections/moment.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { hashesOf, MapShelf, readerOf } from '../../support/map-shelf.ts';
import { anyLog, busyHost, placed, type Log } from '../../support/random-logs.ts';
import { answersOf, askedOf, type Asked } from './ways.ts';
import { countOf } from '../../support/effort.ts';

const share = fc.double({ min: 0, max: 1, noNaN: true });

function timelineOf(log: Log): Timeline {
  const timeline = new Timeline();
  for (const event of log) timeline.take(event);
  return timeline;
}

/** Answers without a word of what has not happened, which is said elsewhere. */
function plain(timeline: Timeline, asked: Asked): unknown {
  const text = JSON.stringify(answersOf(timeline, asked));
  return JSON.parse(text.replaceAll(',"whatIf":true', ''));
}

/** Has a timeline go on from a position with what has come of another log. */
function forked(timeline: Timeline, log: Log, position: number, other: Log) {
  const all = placed([...log.slice(0, position + 1), ...other]);
  const fork = timeline.fork(position);
  for (const event of all.slice(position + 1)) fork.take(event);
  return { fork, all };
}

test('a fork shares segments, and neither knows what has become of the other', () => {
  const sizes = fc.constantFrom(7, 30, 100_000);
  fc.assert(
    fc.property(anyLog, anyLog, share, share, sizes, (log, other, from, again, whole) => {
      const shelf = new MapShelf(hashesOf(log));
      const timeline = new Timeline({ shelf, reader: readerOf(log), whole });
      for (const event of log) timeline.take(event);
      const kept = [...shelf.files];
      const asked = askedOf(log, [0.3, 1]);
      const position = Math.round(from * log.length) - 1;
      const { fork, all } = forked(timeline, log, position, other);
      const second = Math.round(again * all.length) - 1;
      const deeper = forked(fork, all, second, log.slice(0, 20));

      const ofFork = askedOf(all, [from, 1]);
      expect(plain(fork, ofFork)).toEqual(plain(timelineOf(all), ofFork));
      expect([...fork.events]).toEqual(all);
      const ofDeeper = askedOf(deeper.all, [again, 1]);
      const expected = plain(timelineOf(deeper.all), ofDeeper);
      expect(plain(deeper.fork, ofDeeper)).toEqual(expected);
      expect(answersOf(timeline, asked)).toEqual(answersOf(timelineOf(log), asked));
      expect([...shelf.files]).toEqual(kept);
    }),
    { numRuns: countOf('forks of segments', { test: 5, soak: 25, full: 250 }) },
  );
});

test('a fork goes on where the log has gone on meanwhile', () => {
  fc.assert(
    fc.property(anyLog, share, (log, part) => {
      const position = Math.round(part * log.length) - 1;
      const timeline = new Timeline({ whole: 16 });
      for (const event of log.slice(0, position + 1)) timeline.take(event);
      const fork = timeline.fork(position);
      for (const event of log.slice(position + 1)) timeline.take(event);
      const asked = askedOf(log.slice(0, position + 1), [0.5, 1]);
      expect(answersOf(fork, asked)).toEqual(
        answersOf(timelineOf(log.slice(0, position + 1)), asked),
      );
      for (const event of log.slice(position + 1)) fork.take(event);
      const all = askedOf(log, [0.5, 1]);
      expect(plain(fork, all)).toEqual(plain(timeline, all));
    }),
    { numRuns: countOf('forks of segments', { test: 5, soak: 25, full: 250 }) },
  );
});

test('a fork is made again of a segment that was read and has been lost since', () => {
  const log = busyHost(60, 5);
  const shelf = new MapShelf(hashesOf(log));
  const timeline = new Timeline({ shelf, reader: readerOf(log), whole: 4 });
  for (const event of log) timeline.take(event);
  const asked = askedOf(log.slice(0, 11), [0.5, 1]);
  const before = answersOf(timeline.fork(10), asked);
  for (const name of shelf.list()) if (name.first <= 10) shelf.remove(name);
  expect(answersOf(timeline.fork(10), asked)).toEqual(before);
});

test('what has not happened is said of a fork, and of a fork of a fork', () => {
  const log = busyHost(90, 3);
  const timeline = timelineOf(log.slice(0, 60));
  const fork = timeline.fork(49);
  for (const event of log.slice(50, 80)) fork.take(event);
  const deeper = fork.fork(69);
  for (const event of log.slice(70)) deeper.take(event);
  const real = (of: Timeline) =>
    log.slice(0, of.head + 1).flatMap(({ position }) => {
      return new HostAtMoment(of, position).moment.whatIf === true ? [] : position;
    });
  expect(real(timeline)).toHaveLength(60);
  expect(real(fork).at(-1)).toBe(49);
  expect(real(deeper).at(-1)).toBe(49);
  expect(real(fork.fork(20)).at(-1)).toBe(20);
});
