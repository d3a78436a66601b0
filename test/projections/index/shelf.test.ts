import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { packing } from '../../../log/packing.ts';
import { decodeSegment } from '../../../projections/index/segment-bytes.ts';
import { keyOf } from '../../../projections/subjects.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { damage } from '../../support/damage.ts';
import { countOf, inCampaigns, isCampaign, someOf } from '../../support/effort.ts';
import { hashesOf, MapShelf, readerOf, spansOf } from '../../support/map-shelf.ts';
import { busyHost, placed, type Log } from '../../support/random-logs.ts';
import { answersOf, askedOf, type Asked } from './ways.ts';

/** Of the subjects, one in so many is asked about. */
const SPARSE = isCampaign ? 7 : 28;

/** Events of a log with more segments than are kept in memory. */
const LONG = isCampaign ? 1500 : 700;

const LOG = busyHost(500, 11);
const OTHER = busyHost(500, 12);
const ASKED = sparse(askedOf(LOG, [0, 0.1, 0.35, 0.5, 0.77, 1]));

/** The same moments, but not of everything there is. */
function sparse(asked: Asked): Asked {
  return {
    ...asked,
    subjects: asked.subjects.filter((_, index) => index % SPARSE === 0),
    histories: asked.histories.filter((_, index) => isCampaign || index % SPARSE === 0),
  };
}

interface Opened {
  readonly whole: number;
  readonly first?: number;
}

/** Goes on from what is on the shelf, takes the rest of the log, and has the shelf keep its end. */
function open(log: Log, shelf: MapShelf, { whole, first = 0 }: Opened) {
  const timeline = new Timeline({ first, shelf, reader: readerOf(log), whole });
  const from = timeline.head + 1;
  for (const event of log.slice(from)) timeline.take(event);
  timeline.settle();
  return { timeline, from };
}

function filled(log: Log, whole: number): MapShelf {
  const shelf = new MapShelf(hashesOf(log));
  open(log, shelf, { whole });
  return shelf;
}

/** As an index that has no shelf answers. */
function expected(log: Log, asked: Asked, first = 0) {
  const timeline = new Timeline({ first });
  for (const event of log.slice(first)) timeline.take(event);
  return answersOf(timeline, asked);
}

/** Has every segment be read. */
function readAll(timeline: Timeline): void {
  for (let position = timeline.first; position <= timeline.head; position++) {
    timeline.typeAt(position);
  }
}

const wholes = (size: number, until: number) =>
  Array.from({ length: Math.floor(until / size) }, (_, index) => [index * size, size]);

/** A question about the part of a log that begins at a position. */
function askedFrom(log: Log, first: number): Asked {
  const timeline = new Timeline({ first });
  for (const event of log.slice(first)) timeline.take(event);
  const asked = sparse(askedOf(log, [0.6, 0.8, 1]));
  return { ...asked, subjects: asked.subjects.filter((one) => timeline.knows(keyOf(one))) };
}

const ANSWERS = expected(LOG, ASKED);

describe('what lies on the shelf', () => {
  test('is gone on from, and only what is new is judged', () => {
    const shelf = filled(LOG.slice(0, 300), 64);
    expect(spansOf(shelf)).toEqual(wholes(64, 300));
    shelf.hashes = hashesOf(LOG);
    const { timeline, from } = open(LOG, shelf, { whole: 64 });
    expect(from).toBe(256);
    expect(spansOf(shelf)).toEqual(wholes(64, 500));
    expect(shelf.written).toHaveLength(7);
    expect(answersOf(timeline, ASKED)).toEqual(ANSWERS);
    expect(shelf.removed).toEqual([]);
  });

  test('may be damaged in any way, and is whole again afterwards', () => {
    const file = fc.nat(100);
    fc.assert(
      fc.property(fc.array(fc.tuple(damage, file, file), { maxLength: 5 }), (damages) => {
        const shelf = filled(LOG, 64);
        for (const [change, one, other] of damages) {
          const names = [...shelf.files.keys()];
          const name = names[one % names.length];
          const from = names[other % names.length];
          if (name === undefined || from === undefined) continue;
          const bytes = change(shelf.files.get(name)!, shelf.files.get(from)!);
          if (bytes === null) shelf.files.delete(name);
          else shelf.files.set(name, bytes);
        }
        const { timeline } = open(LOG, shelf, { whole: 64 });
        expect(answersOf(timeline, ASKED)).toEqual(ANSWERS);
        // What no question has read may still be damaged.
        timeline.index.mend();
        expect(spansOf(shelf)).toEqual(wholes(64, 500));
      }),
      { numRuns: countOf('damaged shelves', { test: 2, soak: 30, full: 600 }) },
    );
  });

  test('may be lost while it is in use, with more segments than are kept in memory', () => {
    const log = busyHost(LONG, 13);
    const asked = { ...askedOf(log, [0.2, 0.4, 0.6, 0.7, 0.9]), subjects: [], histories: [] };
    const shelf = filled(log, 7);
    const { timeline } = open(log, shelf, { whole: 7 });
    const answers = expected(log, asked);
    for (let turn = 0; turn < 2; turn++) {
      expect(answersOf(timeline, asked)).toEqual(answers);
      const names = [...shelf.files.keys()];
      for (const name of names.filter((_, index) => index % 3 === turn)) shelf.files.delete(name);
    }
    readAll(open(log, shelf, { whole: 7 }).timeline);
    expect(spansOf(shelf)).toEqual(wholes(7, LONG));
  });

  test('may be damaged while it is in use, in pieces that were not read yet', () => {
    const log = busyHost(1500, 13);
    const asked = sparse(askedOf(log, [0.2, 0.4, 0.6, 0.7, 0.9]));
    const shelf = filled(log, 200);
    const right = new Map(shelf.files);
    const { timeline } = open(log, shelf, { whole: 200 });
    for (let position = 0; position < log.length; position += 90) timeline.viewAt(position);
    for (const [name, bytes] of shelf.files) {
      shelf.files.set(
        name,
        bytes.map((byte, at) => (at > 3000 ? byte ^ 1 : byte)),
      );
    }
    expect(answersOf(timeline, asked)).toEqual(expected(log, asked));
    timeline.index.mend();
    expect(shelf.files).toEqual(right);
  });

  test('is read as far as a moment needs it', () => {
    const log = busyHost(4000, 13);
    const shelf = filled(log, 3900);
    const read = vi.spyOn(shelf, 'readBytes');
    const { timeline } = open(log, shelf, { whole: 3900 });
    timeline.viewAt(2000);
    const spans = read.mock.results.map(({ value }) => (value as Uint8Array).length);
    const bytes = spans.reduce((sum, length) => sum + length, 0);
    const [whole] = shelf.files.values();
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(whole!.length / 4);
  });

  test('may be a shelf on which nothing can be kept', () => {
    const shelf = new MapShelf(hashesOf(LOG));
    shelf.write = () => false;
    const { timeline } = open(LOG, shelf, { whole: 64 });
    expect(answersOf(timeline, ASKED)).toEqual(ANSWERS);
    expect(shelf.files.size).toBe(0);
  });

  test('is not read where it is not asked for', () => {
    const shelf = filled(LOG, 64);
    const read: number[] = [];
    const { timeline } = open(
      LOG,
      Object.assign(shelf, {
        read: (name: { first: number; count: number }) => {
          read.push(name.first);
          return shelf.files.get(`${name.first}-${name.count}`) ?? null;
        },
      }),
      { whole: 64 },
    );
    expect(read).toEqual([384]);
    timeline.typeAt(70);
    expect(new Set(read)).toEqual(new Set([384, 64]));
    const { length } = read;
    timeline.typeAt(71);
    expect(read).toHaveLength(length);
  });
});

describe('short segments', () => {
  test('are made into whole ones as the log grows, and none is left behind', () => {
    const sizes = fc.array(fc.constantFrom(8, 13, 64), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sizes, damage, fc.nat(100), (wholeOf, change, which) => {
        const shelf = new MapShelf([]);
        for (const [index, whole] of wholeOf.entries()) {
          const log = LOG.slice(0, 60 * (index + 1));
          shelf.hashes = hashesOf(log);
          const asked = { ...askedOf(log.slice(0, 40), []), positions: [30, log.length - 1] };
          const { timeline } = open(log, shelf, { whole });
          expect(answersOf(timeline, asked)).toEqual(expected(log, asked));
          readAll(timeline);
          expectNoGaps(shelf);
          // One of them is damaged before the next time.
          const name = [...shelf.files.keys()][which % Math.max(shelf.files.size, 1)];
          const bytes = name && change(shelf.files.get(name)!, new Uint8Array(8));
          if (name && bytes) shelf.files.set(name, bytes);
        }
      }),
      { numRuns: countOf('shelves gone on from', { test: 1, soak: 20, full: 400 }) },
    );
  });

  test('begin anew behind a whole one, also where that is damaged', () => {
    const shelf = new MapShelf(hashesOf(LOG));
    const lengths = [64, 20, 20].map((whole, index) => [whole, 64 + 20 * index] as const);
    for (const [whole, length] of lengths) open(LOG.slice(0, length), shelf, { whole });
    expect(spansOf(shelf)).toEqual([
      [0, 64],
      [64, 20],
      [84, 20],
    ]);
    shelf.files.set('0-64', new Uint8Array(3));
    const { timeline, from } = open(LOG, shelf, { whole: 40 });
    expect(from).toBe(64);
    expect(answersOf(timeline, ASKED)).toEqual(ANSWERS);
    readAll(timeline);
    expect(spansOf(shelf).slice(0, 3)).toEqual([
      [0, 64],
      [64, 40],
      [104, 40],
    ]);
  });

  test.each(inCampaigns)('of a log opened again and again add up to whole ones, %s', () => {
    const log = busyHost(50_000, 14);
    const whole = 20_000;
    const shelf = new MapShelf([]);
    const hashes = hashesOf(log);
    const spans = [9000, 18_000, 19_000, 28_000, 37_500, 47_000, 50_000].map((length) => {
      shelf.hashes = hashes.slice(0, length + 1);
      open(log.slice(0, length), shelf, { whole });
      return spansOf(shelf).map(([, count]) => count);
    });
    expect(spans).toEqual([
      [9000],
      [9000, 9000],
      [9000, 9000],
      [9000, 9000, 10_000],
      [20_000, 17_500],
      [20_000, 17_500, 9500],
      [20_000, 20_000, 10_000],
    ]);
    const { timeline } = open(log, shelf, { whole });
    const asked = { ...askedOf(log.slice(0, 200), []), positions: [150, 20_100, 49_000] };
    expect(answersOf(timeline, asked)).toEqual(expected(log, asked));
  });

  /** Every file follows on another, and none lies over another. */
  function expectNoGaps(shelf: MapShelf): void {
    let next = 0;
    for (const [first, count] of spansOf(shelf)) {
      expect(first).toBe(next);
      next += count;
    }
  }
});

describe('other rules', () => {
  test('have everything be judged again, and nothing of the old be kept', () => {
    const shelf = filled(LOG, 64);
    const before = new Map(shelf.files);
    shelf.rules = 'rules-2';
    shelf.written.length = 0;
    const { timeline, from } = open(LOG, shelf, { whole: 64 });
    expect(from).toBe(0);
    expect(shelf.removed).toHaveLength(before.size);
    expect(shelf.written).toHaveLength(before.size);
    expect(answersOf(timeline, ASKED)).toEqual(ANSWERS);
    const stamps = [...shelf.files.values()].map(
      (bytes) => decodeSegment(bytes, packing).stamp.rules,
    );
    expect(new Set(stamps)).toEqual(new Set(['rules-2']));
  });

  test('have what was made by the old be refused also where it is met late', () => {
    const shelf = filled(LOG, 64);
    const { timeline } = open(LOG, shelf, { whole: 64 });
    shelf.rules = 'rules-2';
    expect(answersOf(timeline, ASKED)).toEqual(ANSWERS);
    readAll(timeline);
    const stamps = [...shelf.files.values()].map(
      (bytes) => decodeSegment(bytes, packing).stamp.rules,
    );
    expect(new Set(stamps)).toEqual(new Set(['rules-2']));
  });
});

describe('a log that has changed beneath', () => {
  /** Opens a log on the shelf of another. */
  function reopened(before: Log, log: Log) {
    const shelf = filled(before, 64);
    shelf.hashes = hashesOf(log);
    const { timeline, from } = open(log, shelf, { whole: 64 });
    const asked = sparse(askedOf(log, [0, 0.2, 0.6, 1]));
    expect(answersOf(timeline, asked)).toEqual(expected(log, asked));
    return { shelf, from };
  }

  test('has nothing to do with what was made of another log', () => {
    const { shelf, from } = reopened(OTHER, LOG);
    expect(from).toBe(0);
    expect(shelf.removed).toHaveLength(7);
  });

  test('is gone on from where it is still the same', () => {
    const { shelf, from } = reopened([...LOG.slice(0, 200), ...OTHER.slice(200)], LOG);
    expect(from).toBe(192);
    expect(shelf.removed).toEqual(['384-64', '320-64', '256-64', '192-64']);
  });

  test('is shorter than what was made of it', () => {
    const { shelf, from } = reopened(LOG, LOG.slice(0, 150));
    expect(from).toBe(128);
    expect(shelf.removed).toEqual(['384-64', '320-64', '256-64', '192-64', '128-64']);
  });

  test('is empty', () => {
    const shelf = filled(LOG, 64);
    shelf.hashes = hashesOf([]);
    expect(open([], shelf, { whole: 64 }).timeline.head).toBe(-1);
    expect(shelf.files.size).toBe(0);
  });

  test('is of another stream', () => {
    const shelf = Object.assign(filled(LOG, 64), { stream: 'other' });
    expect(open(LOG, shelf, { whole: 64 }).from).toBe(0);
  });
});

describe('a log whose beginning is not here', () => {
  const two = placed([...LOG.slice(0, 320), ...OTHER.slice(0, 320)]);
  /** The events before are gone, and with them their hashes. */
  class Retained extends MapShelf {
    first = 0;
    override hashAt(position: number): string | undefined {
      return position < this.first - 1 ? undefined : super.hashAt(position);
    }
  }

  function shelfOf(first: number): Retained {
    return Object.assign(new Retained(hashesOf(two)), { first });
  }

  test.each(someOf([200, 256, 320], 3))('is judged anew from where it begins: %i', (first) => {
    const shelf = shelfOf(0);
    open(two, shelf, { whole: 64 });
    const asked = askedFrom(two, first);
    shelf.first = first;
    for (let turn = 0; turn < 2; turn++) {
      const { timeline, from } = open(two, shelf, { whole: 64, first });
      expect(from).toBe(turn === 0 ? first : first + Math.floor((640 - first) / 64) * 64);
      expect(answersOf(timeline, asked)).toEqual(expected(two, asked, first));
      readAll(timeline);
    }
  });

  test('and comes back is judged from its beginning', () => {
    const shelf = shelfOf(0);
    open(two.slice(0, 520), shelf, { whole: 64 });
    open(two.slice(0, 536), shelf, { whole: 24 });
    expect(shelf.written.at(-1)).toBe('512-24');
    shelf.first = 256;
    open(two, shelf, { whole: 64, first: 256 });
    shelf.first = 0;
    const { timeline } = open(two, shelf, { whole: 64 });
    const asked = sparse(askedOf(two, [0.2, 0.6, 0.8, 1]));
    expect(answersOf(timeline, asked)).toEqual(expected(two, asked));
  });
});
