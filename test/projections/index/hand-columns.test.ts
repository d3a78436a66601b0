import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LiveHost } from '../../../machines/live-host.ts';
import { handsOf } from '../../../projections/group-hands.ts';
import { processSpans, type ProcessSpan } from '../../../projections/index/process-spans.ts';
import type { SegmentHands } from '../../../projections/index/segment-hands.ts';
import type { SegmentName } from '../../../projections/index/shelf.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { anyHistory, segmentLengths } from '../../support/any-history.ts';
import { countOf } from '../../support/effort.ts';
import { hashesOf, MapShelf, readerOf } from '../../support/map-shelf.ts';
import type { Log } from '../../support/random-logs.ts';

const RUNS = countOf('logs whose columns of hands are read', { test: 10, soak: 200, full: 2000 });

/** Counts how many segments were read as a whole. */
class CountingShelf extends MapShelf {
  whole = 0;

  override read(name: SegmentName): Uint8Array | null {
    this.whole++;
    return super.read(name);
  }

  override readBytes(name: SegmentName, from: number, to: number) {
    const bytes = super.read(name);
    return bytes === null ? null : new Uint8Array(bytes).slice(from, to);
  }
}

function opened(log: Log, size: number, shelf: MapShelf | null): Timeline {
  const timeline = new Timeline({ shelf, reader: readerOf(log), whole: size });
  for (const event of log.slice(timeline.head + 1)) timeline.take(event);
  return timeline;
}

const spansIn = (timeline: Timeline): ProcessSpan[] => [
  ...processSpans(timeline.hands.from(), 0, timeline.head),
];

function answersOf(timeline: Timeline) {
  const hands = timeline.groups().map((group) => handsOf(timeline, group, -1, null));
  return { hands, spans: spansIn(timeline) };
}

test('the spans of processes are the names that the host gives at every position', () => {
  let counted = 0;
  fc.assert(
    fc.property(anyHistory, segmentLengths, (log, size) => {
      const timeline = opened(log, size, null);
      const spans = spansIn(timeline);
      const host = new LiveHost();
      for (const event of log) {
        host.take(event);
        const { position } = event;
        const named = [...host.processes()].map(({ pid, comm, cgroup, vm }) => {
          return JSON.stringify([pid, comm, cgroup, vm]);
        });
        const there = spans
          .filter(({ from, to }) => from <= position && position < (to ?? Infinity))
          .map(({ pid, comm, cgroup, vm }) => JSON.stringify([pid, comm, cgroup, vm]));
        expect(there.toSorted(), `after ${position}`).toEqual(named.toSorted());
        counted += there.length;
      }
    }),
    { numRuns: RUNS },
  );
  expect(counted).toBeGreaterThan(0);
});

test('the spans that are wanted are the same as among all', () => {
  let counted = 0;
  fc.assert(
    fc.property(anyHistory, segmentLengths, (log, size) => {
      const timeline = opened(log, size, null);
      const all = spansIn(timeline);
      for (const name of new Set(all.map(({ comm }) => comm))) {
        const wanted = (hands: SegmentHands) =>
          Array.from({ length: hands.spans }, (_, span) => span).filter(
            (span) => hands.nameOf(span).comm === name,
          );
        const found = [...processSpans(timeline.hands.from(), 0, timeline.head, wanted)];
        const expected = all.filter(({ comm }) => comm === name);
        expect(lifesOf(found)).toEqual(lifesOf(expected));
        counted += found.length;
      }
    }),
    { numRuns: RUNS },
  );
  expect(counted).toBeGreaterThan(0);
});

/** From when to when spans were, in any order. */
function lifesOf(spans: readonly ProcessSpan[]): string[] {
  return spans.map(({ pid, from, to }) => `${pid} ${from} ${to}`).toSorted();
}

describe('hands and processes that are read from the shelf', () => {
  test('are those of the segments in memory, and no segment is read as a whole', () => {
    let segments = 0;
    fc.assert(
      fc.property(anyHistory, segmentLengths, (log, size) => {
        const shelf = new CountingShelf(hashesOf(log));
        opened(log, size, shelf);
        const timeline = opened(log, size, shelf);
        shelf.whole = 0;
        expect(answersOf(timeline)).toEqual(answersOf(opened(log, size, null)));
        expect(shelf.whole).toBe(0);
        segments += shelf.files.size;
      }),
      { numRuns: RUNS },
    );
    expect(segments).toBeGreaterThan(RUNS);
  });

  test('are made again where any byte of a segment is another', () => {
    const nat = fc.nat(1_000_000);
    fc.assert(
      fc.property(anyHistory, segmentLengths, nat, nat, nat, (log, size, which, at, by) => {
        const shelf = new MapShelf(hashesOf(log));
        opened(log, size, shelf);
        const timeline = opened(log, size, shelf);
        // The last segment was read when the log was opened.
        const names = [...shelf.files.keys()].slice(0, -1);
        fc.pre(names.length > 0);
        const name = names[which % names.length]!;
        const bytes = new Uint8Array(shelf.files.get(name)!);
        bytes[at % bytes.length]! ^= 1 + (by % 255);
        shelf.files.set(name, bytes);
        expect(answersOf(timeline)).toEqual(answersOf(opened(log, size, null)));
      }),
      { numRuns: RUNS },
    );
  });
});
