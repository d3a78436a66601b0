import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifyTimeline } from '../../../ledger/verify.ts';
import { LiveHost } from '../../../machines/live-host.ts';
import { playerOf, Verifier } from '../../../projections/audit/verification.ts';
import type { ReplacedDifference } from '../../../projections/index/segment-difference.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { countOf, isCampaign } from '../../support/effort.ts';
import { columnsIn, forged, jsonPlacesOf, type JsonPath } from '../../support/forged-segments.ts';
import { hashesOf, MapShelf, readerOf } from '../../support/map-shelf.ts';
import { anyLog, randomLogs, type Log } from '../../support/random-logs.ts';
import { unseenHost } from '../../support/unseen-hosts.ts';
import { answersOf, askedOf } from './ways.ts';

const RUNS = countOf('forged segments', { test: 15, soak: 1500 });

function opened(log: Log, shelf: MapShelf): Timeline {
  const whole = Math.max(5, Math.ceil(log.length / 4));
  const timeline = new Timeline({ shelf, reader: readerOf(log), whole });
  for (const event of log.slice(timeline.head + 1)) timeline.take(event);
  timeline.settle();
  return timeline;
}

/** A shelf that is full, or has these files. */
function shelfOf(log: Log, files?: MapShelf['files']): MapShelf {
  const shelf = new MapShelf(hashesOf(log));
  if (files === undefined) opened(log, shelf);
  for (const [name, bytes] of files ?? []) shelf.files.set(name, bytes);
  return shelf;
}

/** As `verify` compares the index. */
function differencesIn(timeline: Timeline): readonly ReplacedDifference[] {
  const rebuild = timeline.rebuild();
  for (const event of timeline.events) rebuild.take(event);
  return timeline.adopt(rebuild);
}

const nameOf = ({ segment: { first, count } }: ReplacedDifference) => `${first}-${count}`;

test('of an index that nobody has changed nothing is told, and nothing is written', () => {
  fc.assert(
    fc.property(fc.oneof(anyLog, unseenHost), (log) => {
      const verifier = new Verifier(playerOf(new LiveHost()));
      for (const event of log) verifier.take(event);
      const shelf = shelfOf(log, shelfOf(log).files);
      const timeline = opened(log, shelf);
      const findings = verifyTimeline(timeline, { exhaustive: true });
      expect(findings).toEqual(verifier.findings);
      expect([shelf.written, shelf.removed]).toEqual([[], []]);
    }),
    { numRuns: RUNS },
  );
});

describe('what is forged in a segment that has the right checksum', () => {
  const nat = fc.nat(1_000_000);
  const logs = fc.oneof(randomLogs.recorded, randomLogs.busy, unseenHost);

  test('is told, whatever value it is, and no answer depends on it any more', () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(logs, nat, nat, fc.integer({ min: 1, max: 9 }), (log, at, which, by) => {
        const right = shelfOf(log).files;
        const [name, bytes] = [...right][at % right.size]!;
        const places = jsonPlacesOf(bytes);
        const path = places[which % places.length]!;
        const other = forged(bytes, path, by);
        const shelf = shelfOf(log, new Map([...right, [name, other]]));
        let timeline: Timeline;
        try {
          timeline = opened(log, shelf);
        } catch {
          // No host can go on from there: a ledger is opened without the index then.
          return;
        }
        const isUsed = shelf.files.get(name) === other && !isOfCuts(path);
        const told = differencesIn(timeline);
        for (const { differing } of told) met.add(differing);
        if (isUsed) expect(told.map(nameOf)).toContain(name);
        expect(told.every(({ isReplaced }) => isReplaced)).toBe(true);
        expect(shelf.files).toEqual(right);
        expect(answersTo(log, timeline)).toEqual(answersTo(log, opened(log, shelfOf(log))));
      }),
      { numRuns: RUNS * 2, ...(!isCampaign && { seed: 7 }) },
    );
    for (const differing of ['codes', 'start', 'end']) expect(met).toContain(differing);
  });

  test('is removed where it is not in use, and would be if others were lost', () => {
    const [log] = fc.sample(randomLogs.busy, { numRuns: 1, seed: 3 });
    const right = shelfOf(log!).files;
    const [bytes] = right.values();
    const shelf = shelfOf(log!, new Map([...right, ['0-3', bytes!]]));
    expect(differencesIn(opened(log!, shelf))).toEqual([]);
    expect([shelf.files, shelf.removed]).toEqual([right, ['0-3']]);
  });

  test('is told of every column there is', () => {
    const met = new Set<number>();
    let columns = Infinity;
    for (const [turn, log] of fc.sample(logs, { numRuns: 60, seed: 3 }).entries()) {
      if (met.size === columns) break;
      const right = shelfOf(log).files;
      for (const [name, bytes] of right) {
        const lengths = columnsIn(bytes);
        columns = lengths.length;
        for (const [column, length] of lengths.entries()) {
          if (length === 0 || met.has(column)) continue;
          met.add(column);
          const other = forged(bytes, { column, cell: turn % length });
          const shelf = shelfOf(log, new Map([...right, [name, other]]));
          expect(differencesIn(opened(log, shelf)).map(nameOf)).toEqual([name]);
          expect(shelf.files).toEqual(right);
        }
      }
    }
    expect(met.size).toBe(columns);
  });
});

/** Whether it says where segments before were cut: if they were not, the rest of it is not used. */
function isOfCuts(path: JsonPath): boolean {
  return path.includes('listed') && ['first', 'count'].includes(String(path.at(-1)));
}

function answersTo(log: Log, timeline: Timeline) {
  const asked = askedOf(log, [0.2, 0.6, 1]);
  return answersOf(timeline, { ...asked, subjects: asked.subjects.slice(0, 5) });
}
