/**
 * Replay as it is done here: from sealed segments, to a full table of who owns and who holds what.
 *
 * @module
 */
import { openSqliteStore } from '../log/sqlite.ts';
import { localLog } from '../ledger/local-log.ts';
import { advance, Cursor } from '../projections/index/journal.ts';
import type { Segment } from '../projections/index/segment.ts';
import type { Standing } from '../projections/index/standing.ts';
import { TimeIndex } from '../projections/index/time-index.ts';
import { StandingView } from '../projections/index/view.ts';
import { tableOf, type KernelTable } from '../projections/views.ts';
import { HOST } from './logs.ts';

/** The segments of a log, read into memory; those that are not there yet are made. */
export async function segmentsOf(path: string): Promise<readonly Segment[]> {
  const store = openSqliteStore(path);
  const { reader, shelf = null } = localLog(store, HOST, {});
  const events = (first: number, last: number) => reader?.between(first, last) ?? [];
  const index = new TimeIndex({ first: 0, events, shelf });
  for await (const batch of store.read(HOST, { from: index.head + 1 })) {
    for (const event of batch) index.take(event);
  }
  index.settle();
  const segments = [...index.segmentsFrom(0)].filter(({ length }) => length > 0);
  await store.close();
  return segments;
}

/** Replays every change from the first event to the last; gives the table at the end. */
export function replaySegments(segments: readonly Segment[]): KernelTable {
  let last: { readonly standing: Standing; readonly segment: Segment } | null = null;
  for (const segment of segments) {
    const standing = segment.parts.start.copy();
    advance(segment.parts.journal, standing, new Cursor(), segment.length);
    last = { standing, segment };
  }
  if (last === null) throw new RangeError('there is nothing to replay');
  const view = new StandingView(last.standing, last.segment.parts.codes);
  return tableOf(view, { position: last.segment.last, time: null }, () => null);
}
