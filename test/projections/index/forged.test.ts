import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifyTimeline } from '../../../ledger/verify.ts';
import { LiveHost } from '../../../machines/live-host.ts';
import { playerOf, Verifier } from '../../../projections/audit/verification.ts';
import type { ReplacedDifference } from '../../../projections/index/segment-difference.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { countOf, inCampaigns, isCampaign, someOf } from '../../support/effort.ts';
import {
  columnForgeries,
  columnKindsOf,
  columnsIn,
  forged,
  jsonForgeries,
  jsonKindOf,
  jsonPlacesOf,
  withColumn,
  withJson,
  type JsonPath,
} from '../../support/forged-segments.ts';
import { hashesOf, MapShelf, readerOf } from '../../support/map-shelf.ts';
import { anyLog, busyHost, randomLogs, type Log } from '../../support/random-logs.ts';
import { unseenHost } from '../../support/unseen-hosts.ts';
import { answersOf, askedOf } from './ways.ts';
import { answersOfAll, pastOf } from './all-questions.ts';

const RUNS = countOf('forged segments', { test: 6, soak: 30, full: 1500 });
const ASKED = countOf('forged segments asked everything', { test: 5, soak: 1000, full: 2500 });
/** Forged segments of one log. */
const EACH = 25;
/** A test of a campaign has ten minutes. */
const PARTS = isCampaign ? [1, 2, 3, 4, 5] : [1];

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
  const rebuild = timeline.index.rebuild();
  for (const event of timeline.events) rebuild.take(event);
  return timeline.index.adopt(rebuild);
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

  const anyKind = 'is told or noticed in every kind of column, and in every kind of value there is';
  test.each(inCampaigns)(`${anyKind}, %s`, () => {
    const met = new Set<string>();
    const columns = new Set<string>();
    const missing = () => [...columns].filter((kind) => !met.has(kind));
    const any = fc.oneof(logs, randomLogs.busy.map(withoutGroups));
    for (const [turn, log] of fc.sample(any, { numRuns: 60, seed: 3 }).entries()) {
      if (turn > 0 && missing().length === 0) break;
      const right = shelfOf(log).files;
      for (const [name, bytes] of right) {
        const isNew = (kind: string) => !met.has(kind) && met.add(kind).has(kind);
        const lengths = columnsIn(bytes);
        for (const [column, kind] of columnKindsOf(bytes).entries()) {
          columns.add(kind);
          const length = lengths[column]!;
          if (length === 0 || !isNew(kind)) continue;
          tell(log, right, name, forged(bytes, { column, cell: turn % length }));
        }
        // There are many, and each of them is compared as a whole.
        for (const path of isCampaign ? jsonPlacesOf(bytes) : []) {
          if (isOfCuts(path) || !isNew(jsonKindOf(path))) continue;
          tell(log, right, name, forged(bytes, path));
        }
      }
    }
    // Of a column that is missing here, no forgery was tried: the logs above lack what it tells.
    expect(missing()).toEqual([]);
  });

  /** The forged segment is noticed when the index is opened, or told by `verify`; and replaced. */
  function tell(log: Log, right: MapShelf['files'], name: string, other: Uint8Array): void {
    const shelf = shelfOf(log, new Map([...right, [name, other]]));
    const timeline = openedOrForgotten(log, shelf);
    if (shelf.files.get(name) === other) {
      expect(differencesIn(timeline).map(nameOf)).toContain(name);
    }
    expect(shelf.files).toEqual(right);
  }

  test.each(PARTS)('is told, or changes no answer, and fails no question, part %i', (part) => {
    const met = new Map<string, number>();
    const note = (what: string) => met.set(what, (met.get(what) ?? 0) + 1);
    const forgery = fc.record({ at: nat, which: nat, cell: nat, how: nat, by: fc.nat(8) });
    const forgeries = fc.array(forgery, { minLength: EACH, maxLength: EACH });
    fc.assert(
      fc.property(logs, forgeries, (whole, all) => {
        const { log, right, expected } = toldOf(whole.slice(0, 80));
        for (const { at, which, cell, how, by } of all) {
          const [name, bytes] = [...right][at % right.size]!;
          const other = otherSegment(bytes, which, cell, how, by + 1);
          const files = new Map([...right, [name, other]]);
          const shelf = shelfOf(log, files);
          const found = answersOfAll(pastOf(openedOrForgotten(log, shelf)), log);
          const again = shelfOf(log, files);
          const told = differencesIn(openedOrForgotten(log, again));
          const isNoticed = again.files.get(name) !== other && told.length === 0;
          note(told.length > 0 ? 'told' : isNoticed ? 'noticed' : 'the same');
          if (told.length === 0) expect(found).toEqual(expected);
          expect(again.files).toEqual(right);
        }
      }),
      { numRuns: Math.ceil(ASKED / EACH / PARTS.length), ...(!isCampaign && { seed: 10 + part }) },
    );
    if (isCampaign) process.stdout.write(`forged: ${JSON.stringify(Object.fromEntries(met))}\n`);
    expect(met.get('told')).toBeGreaterThan(0);
  });
});

/** The same log, where the groups of every second device are not shown. */
function withoutGroups(log: Log): Log {
  return log.map((event) => {
    if (event.type !== 'device.added' || event.position % 2 === 0) return event;
    return { ...event, data: { ...event.data, group: null } };
  });
}

/** A log with its index, and the answers to all questions. */
function toldOf(log: Log) {
  const right = shelfOf(log).files;
  const expected = answersOfAll(pastOf(opened(log, shelfOf(log, right))), log);
  return { log, right, expected };
}

let busy: ReturnType<typeof toldOf> | undefined;

const columnOf =
  (name: string, change: (at: number) => number): Forgery =>
  (bytes) => {
    const places = [...columnKindsOf(bytes).entries()].filter(([, kind]) => kind === name);
    return places.reduce(
      (other, [column]) => withColumn(other, column, (cells) => cells.map((_, at) => change(at))),
      bytes,
    );
  };

const without =
  (...path: JsonPath): Forgery =>
  (bytes) =>
    withJson(bytes, path, () => null);

type Forgery = (bytes: Uint8Array) => Uint8Array;

/** What a reader would fail at, loop over for ever, or need more memory for than there is. */
const senseless: [string, Forgery][] = [
  ['no texts', without('header', 'codes', 'texts')],
  ['no state before its first event', without('header', 'blocks')],
  ['no time to count from', without('header', 'timeBase')],
  ['no machines', without('judging', 'kernel')],
  ['no standing after its last event', without('judging', 'end', 'standing')],
  ['no open refusals after its last event', without('judging', 'end', 'refusals')],
  ['no sources', without('judging', 'end', 'sources')],
  ['kinds of change that do not exist', columnOf('kinds', () => 99)],
  ['names that do not exist', columnOf('processStarted.comm', () => 0xffff)],
  ['holds in rows beyond all memory', columnOf('held.hold', () => 0xfff_ffff)],
  ['holds of files that do not exist', columnOf('held.file', () => 0xffff)],
  ['files that keep themselves alive', columnOf('fileSet.pins', (at) => (at % 9) + 1)],
  ['holds that are copies of later ones', columnOf('held.from', (at) => at + 2)],
  ['refusals that go on as themselves', columnOf('refusals.3', (at) => at + 3)],
];

test.each(someOf(senseless, 7))('segments that have %s fail no question', (_, forge) => {
  const { log, right, expected } = (busy ??= toldOf(busyHost(400, 7)));
  const files = new Map([...right].map(([name, bytes]) => [name, forge(bytes)]));
  const found = answersOfAll(pastOf(openedOrForgotten(log, shelfOf(log, files))), log);
  const told = differencesIn(openedOrForgotten(log, shelfOf(log, files)));
  if (told.length === 0) expect(found).toEqual(expected);
});

/** A segment that is forged in one of its columns, or in one of its other values. */
function otherSegment(bytes: Uint8Array, which: number, cell: number, how: number, by: number) {
  const [places, lengths] = [jsonPlacesOf(bytes), columnsIn(bytes)];
  const columns = [...lengths.entries()].filter(([, length]) => length > 0);
  if (which % 3 === 0) {
    const change = Object.values(jsonForgeries)[how % Object.keys(jsonForgeries).length]!;
    return withJson(bytes, places[cell % places.length]!, (value) => change(value, by));
  }
  const change = Object.values(columnForgeries)[how % Object.keys(columnForgeries).length]!;
  const [column, length] = columns[which % columns.length]!;
  return withColumn(bytes, column, (cells) => change(cells, cell % length, by));
}

/** As `openLedger` does: without the index, if no host can go on from it. */
function openedOrForgotten(log: Log, shelf: MapShelf): Timeline {
  try {
    return opened(log, shelf);
  } catch {
    shelf.files.clear();
    return opened(log, shelf);
  }
}

/** Whether it says where segments before were cut: if they were not, the rest of it is not used. */
function isOfCuts(path: JsonPath): boolean {
  return path.includes('listed') && ['listed', 'first', 'count'].includes(String(path.at(-1)));
}

function answersTo(log: Log, timeline: Timeline) {
  const asked = askedOf(log, [0.2, 0.6, 1]);
  return answersOf(timeline, { ...asked, subjects: asked.subjects.slice(0, 5) });
}
