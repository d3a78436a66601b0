import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packing } from '../../../log/packing.ts';
import { firstStart, SegmentBuilder } from '../../../projections/index/builder.ts';
import {
  contentOf,
  decodeSegment,
  encodeSegment,
  type Sealed,
} from '../../../projections/index/segment-bytes.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { brokenLog } from '../../support/broken-logs.ts';
import { countOf } from '../../support/effort.ts';
import { hashesOf, MapShelf, readerOf } from '../../support/map-shelf.ts';
import { busyHost, placed, type Log } from '../../support/random-logs.ts';

const LOGS = countOf('logs built in several ways', { test: 20, soak: 2000, full: 6000 });

/** Events of a whole segment: most have several blocks. */
const WHOLE = 60;

/** How the next segment is begun: from its start as it is, as it was read, or by the same host. */
type Begun = 'kept' | 'read' | 'same-host';
/** The number of events of a segment, and how the one after it is begun. */
type Cut = readonly [count: number, next: Begun];

const begun = fc.constantFrom<Begun>('kept', 'read', 'same-host');
const cuts = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), begun), { maxLength: 12 });

/** The last segment of a log that is cut like this, as text; but what it says of those before. */
function lastOf(log: Log, all: readonly Cut[]): string {
  let start = firstStart(0);
  let builder = new SegmentBuilder(start, WHOLE);
  let text = '';
  for (const [count, next] of all) {
    const first = start.position;
    for (const event of log.slice(first, first + count)) builder.take(event);
    const built = builder.finish();
    const stamp = { stream: 'host', rules: '', origin: 0, first, count, before: '', after: '' };
    const bytes = encodeSegment({ stamp, listed: [], ...built }, packing);
    const read = decodeSegment(bytes, packing);
    text = textOf(read);
    start = next === 'read' ? read.end : built.end;
    builder = new SegmentBuilder(start, WHOLE, next === 'same-host' ? builder.host : undefined);
  }
  return text;
}

function textOf(sealed: Sealed): string {
  const { header, columns, judging } = contentOf(sealed);
  const cells = columns.map((column) => [...column.cells.subarray(0, column.length)]);
  return JSON.stringify({ header, judging, cells }, null, 1);
}

/** The cuts up to so many events. */
function upTo(events: number, wanted: readonly Cut[]): Cut[] {
  const found: Cut[] = [];
  let left = events;
  for (const [count, next] of [...wanted, [events, 'same-host'] as const]) {
    if (left > 0) found.push([Math.min(count, left), next]);
    left -= count;
  }
  return found;
}

test('what a segment holds depends on its events alone, wherever those before it were cut', () => {
  fc.assert(
    fc.property(brokenLog, cuts, cuts, fc.integer({ min: 1, max: 60 }), (log, one, other, end) => {
      const count = Math.min(end, log.length);
      const [first, ...others] = [one, other, []].map((before) => {
        return lastOf(log, [...upTo(log.length - count, before), [count, 'kept']]);
      });
      for (const text of others) expect(text).toBe(first);
    }),
    { numRuns: LOGS },
  );
});

type Step = readonly [share: number, act: 'fork' | 'ask' | 'lose' | 'reopen' | 'verify'];

const step = fc.tuple(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.constantFrom<Step[1]>('fork', 'ask', 'lose', 'reopen', 'verify'),
);
const sizes = fc.integer({ min: 4, max: 70 });
const OTHER = busyHost(60, 5);

/** The files of a log that is read in these steps, and then to its end. */
function filesAfter(log: Log, whole: number, steps: readonly Step[]): MapShelf['files'] {
  const shelf = new MapShelf(hashesOf(log));
  const open = () => new Timeline({ shelf, reader: readerOf(log), whole });
  let timeline = open();
  const takeTo = (end: number) => {
    for (const event of log.slice(timeline.head + 1, end)) timeline.take(event);
  };
  for (const [share, act] of steps) {
    takeTo(Math.round(share * log.length));
    timeline.settle();
    const at = Math.floor((share * timeline.head) / 2);
    const isAny = timeline.head >= 0;
    if (act === 'reopen') timeline = open();
    else if (act === 'lose') shelf.files.delete([...shelf.files.keys()][0] ?? '');
    else if (act === 'ask' && isAny) timeline.index.ask(() => timeline.hostAt(at));
    else if (act === 'verify') {
      const rebuild = timeline.index.rebuild();
      for (const event of timeline.events) rebuild.take(event);
      expect(timeline.index.adopt(rebuild)).toEqual([]);
    } else if (act === 'fork' && isAny) {
      const fork = timeline.index.ask(() => timeline.fork(at));
      const all = placed([...log.slice(0, at + 1), ...OTHER]);
      for (const event of all.slice(at + 1)) fork.take(event);
    }
  }
  // What was lost is built again where it is read, unless it is in memory.
  timeline = open();
  takeTo(log.length);
  timeline.settle();
  for (const { position } of log) timeline.index.ask(() => timeline.typeAt(position));
  return shelf.files;
}

test('the files of an index are the same, byte for byte, however the log was opened', () => {
  fc.assert(
    fc.property(brokenLog, sizes, fc.array(step, { maxLength: 6 }), (log, whole, steps) => {
      expect(filesAfter(log, whole, steps)).toEqual(filesAfter(log, whole, []));
    }),
    { numRuns: LOGS },
  );
});
