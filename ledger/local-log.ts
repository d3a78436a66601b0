/**
 * Connects a local log to the timeline: rereads events by position, caches segments in LOG.index.
 *
 * @module
 */
import { packing } from '../log/packing.ts';
import { SegmentFiles } from '../log/segment-files.ts';
import type { RecordedEvent, Store } from '../log/store.ts';
import type { EventReader } from '../projections/event-tail.ts';
import type { SegmentName, Shelf } from '../projections/index/shelf.ts';
import type { TimelineOptions } from '../projections/timeline.ts';
import { rulesVersion as rules } from './rules-version.ts';

interface LocalLogOptions {
  /** False: do not read or write LOG.index. */
  readonly derived?: boolean;
  /** Uses no segment with events after this position. */
  readonly until?: number;
}

/** Size of the cache of events that were read by position: questions ask for the same ones again. */
const READ_MAX = 8192;

/** Reader and shelf of a local log. The timeline of any other log keeps everything in memory. */
export function localLog(
  { local: events, path }: Store,
  host: string,
  { derived = true, until = Infinity }: LocalLogOptions,
): TimelineOptions<RecordedEvent> {
  if (events === null) return {};
  const read = new Map<number, RecordedEvent>();
  const readAgain = (positions: readonly number[]) => {
    if (read.size + positions.length > READ_MAX) read.clear();
    const missing = positions.filter((position) => !read.has(position));
    for (const event of events.many(host, missing)) read.set(event.position, event);
  };
  const reader: EventReader<RecordedEvent> = {
    at(position) {
      if (!read.has(position)) readAgain([position]);
      const event = read.get(position);
      if (event === undefined) throw new RangeError(`there is no event at position ${position}`);
      return event;
    },
    many(positions) {
      readAgain(positions);
      return positions.map((position) => reader.at(position));
    },
    between: (first, last) => events.between(host, first, last),
  };
  if (path === null || !derived || rules === null) return { reader };
  const files = new SegmentFiles(path, host);
  const shelf: Shelf = {
    stream: host,
    rules,
    packing,
    hashAt: (position) => events.hashAt(host, position),
    list() {
      const names = files.list().filter((name) => lastOf(name) <= until);
      // Reading goes on behind the last segment, so nothing else would find that its events are lost.
      events.checkReaches(host, Math.max(...names.map(lastOf)));
      return names;
    },
    read: (name) => files.read(name),
    readBytes: (name, from, to) => files.readBytes(name, from, to),
    write: (name, bytes) => files.write(name, bytes),
    remove: (name) => files.remove(name),
  };
  return { reader, shelf };
}

/**
 * Removes the segments of a stream, from which no ledger could be read although they fit the log: a
 * checksum is no proof of who wrote them. Returns the options to read the log again, without its
 * index if it cannot be removed; null if there was none.
 */
export function forgetIndex<O extends LocalLogOptions>(
  { path }: Store,
  host: string,
  options: O,
): O | null {
  if (path === null || options.derived === false) return null;
  const files = new SegmentFiles(path, host);
  const segments = files.list();
  if (segments.length === 0) return null;
  for (const segment of segments) files.remove(segment);
  return files.list().length === 0 ? options : { ...options, derived: false };
}

function lastOf({ first, count }: SegmentName): number {
  return first + count - 1;
}
