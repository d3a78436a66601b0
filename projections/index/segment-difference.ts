/**
 * Compares a segment of the index with the same segment built again, and tells where they differ.
 *
 * @module
 */
import { STANDING_COLUMNS, type Blocks } from './blocks.ts';
import { changeKinds, type ChangeKind } from './changes.ts';
import type { Column } from './columns.ts';
import type { Journal } from './journal.ts';
import { postingKinds, type Postings } from './postings.ts';
import { contentOf, type Sealed, type SegmentContent } from './segment-bytes.ts';
import type { SegmentParts } from './segment-parts.ts';
import type { SegmentName } from './shelf.ts';

/**
 * What differs: a change that an event made; the type or time of an event; which events concern a
 * subject; how a refusal ends; the values of codes; the host before the first event or a later one, or
 * after the last; what is said of
 * the segments before, or of the sources of their events; or anything else.
 */
type Differing =
  | ChangeKind
  | 'type'
  | 'time'
  | 'subject'
  | 'refusalSettled'
  | 'codes'
  | 'start'
  | 'end'
  | 'list'
  | 'sources'
  | 'other';

export interface SegmentDifference {
  readonly segment: SegmentName;
  /** Of the first event that differs, if that can be told: `end` has the last, others the first. */
  readonly position: number;
  readonly differing: Differing;
}

/** A difference, and whether the segment that was built is in its place now. */
export type ReplacedDifference = SegmentDifference & {
  /** False if the next program that opens the log will read the same segment again. */
  readonly isReplaced: boolean;
};

type Place = Pick<SegmentDifference, 'position' | 'differing'>;

/** The first difference between a segment of the index and the one that was built; null if none. */
export function differenceOf(stored: Sealed, built: Sealed): SegmentDifference | null {
  const { first, count } = built.stamp;
  const [least] = placesOf(stored, built).toSorted((a, b) => a.position - b.position);
  return least === undefined ? null : { segment: { first, count }, ...least };
}

function placesOf(stored: Sealed, built: Sealed): Place[] {
  try {
    return [...placesIn(stored, contentOf(stored), built, contentOf(built))];
  } catch {
    // A segment with the right checksum may still hold anything.
    return [{ position: built.stamp.first, differing: 'other' }];
  }
}

const inHeader: Readonly<Record<keyof SegmentContent['header'], Differing>> = {
  stamp: 'other',
  lastBoot: 'start',
  codes: 'codes',
  timeBase: 'time',
  blocks: 'start',
  claims: 'start',
};

function* placesIn(
  stored: Sealed,
  one: SegmentContent,
  built: Sealed,
  other: SegmentContent,
): Generator<Place> {
  const { first, count } = built.stamp;
  const at = { position: first };
  for (const key of Object.keys(inHeader) as (keyof typeof inHeader)[]) {
    if (!isSame(one.header[key], other.header[key])) yield { ...at, differing: inHeader[key] };
  }
  if (isCutAlike(stored, built) && !isSame(one.judging.listed, other.judging.listed)) {
    yield { ...at, differing: 'list' };
  }
  if (!isSame(one.judging.kernel, other.judging.kernel)) yield { ...at, differing: 'start' };
  if (!isSame(one.judging.refusals, other.judging.refusals)) {
    yield { ...at, differing: 'refusalSettled' };
  }
  if (!isSame(one.judging.sources, other.judging.sources)) yield { ...at, differing: 'sources' };
  if (!isSame(one.judging.end, other.judging.end)) {
    yield { position: Math.max(first + count - 1, first), differing: 'end' };
  }
  const isUnequal = other.columns.some((column, index) => {
    return firstUnequal(one.columns[index], column) !== null;
  });
  if (!isUnequal && one.columns.length === other.columns.length) return;
  const { times, postings, types, settled } = built.parts;
  const there = stored.parts;
  const found = [
    ...ofJournal(there, built.parts),
    ...ofPostings(there.postings, postings),
    ...ofBlocks(there.blocks, built.parts.blocks),
  ];
  const type = firstUnequal(there.types, types);
  if (type !== null) found.push({ event: type, differing: 'type' });
  if (!isSettledAlike(there, built.parts)) {
    found.push({ event: settled.event.cells[0] ?? 0, differing: 'refusalSettled' });
  }
  for (const [index, column] of times.columns.entries()) {
    const event = firstUnequal(there.times.columns[index], column);
    if (event !== null) found.push({ event, differing: 'time' });
  }
  if (found.length === 0) yield { ...at, differing: 'other' };
  const last = Math.max(count - 1, 0);
  for (const { event, differing } of found) {
    yield { position: first + Math.min(event, last), differing };
  }
}

/** Whether the segments before were cut alike: else nothing that a segment says of them is used. */
function isCutAlike(stored: Sealed, built: Sealed): boolean {
  const cuts = ({ listed }: Sealed) => listed.map(({ first, count }) => [first, count]);
  return isSame(cuts(stored), cuts(built));
}

interface EventPlace {
  /** Index of an event in the segment. */
  readonly event: number;
  readonly differing: Differing;
}

/** The first event of which two journals tell something else. */
function ofJournal(
  { journal: stored }: SegmentParts,
  { journal: built }: SegmentParts,
): EventPlace[] {
  const read = built.changes.map(() => 0);
  const kindAt = (journal: Journal, at: number) => changeKinds[journal.kinds.cells[at] ?? -1];
  let row = 0;
  for (let event = 0; event < built.length; event++) {
    const rows = built.rows.cells[event] ?? 0;
    const isShorter = stored.rows.cells[event] !== rows;
    for (const end = row + rows; row < end; row++) {
      const kind = built.kinds.cells[row] ?? 0;
      const at = read[kind]!++;
      const isOther = (built.changes[kind] ?? []).some(({ cells }, index) => {
        return stored.changes[kind]?.[index]?.cells[at] !== cells[at];
      });
      if (isOther || stored.kinds.cells[row] !== kind) {
        return [{ event, differing: kindAt(built, row) ?? 'other' }];
      }
    }
    if (isShorter) return [{ event, differing: kindAt(stored, row) ?? 'other' }];
  }
  return stored.length === built.length ? [] : [{ event: built.length, differing: 'other' }];
}

/** The first block that begins with another standing. */
function ofBlocks(stored: Blocks, built: Blocks): EventPlace[] {
  for (let index = 0; index < built.length; index++) {
    const there = stored.columnsAt(index).slice(0, STANDING_COLUMNS);
    const wanted = built.columnsAt(index).slice(0, STANDING_COLUMNS);
    if (wanted.some((column, at) => firstUnequal(there[at], column) !== null)) {
      return [{ event: built.eventAt(index), differing: 'start' }];
    }
  }
  return [];
}

function isSettledAlike(stored: SegmentParts, built: SegmentParts): boolean {
  const columns = Object.values(stored.settled);
  return (
    isSame(stored.openRefusals, built.openRefusals) &&
    Object.values(built.settled).every((column, at) => firstUnequal(columns[at], column) === null)
  );
}

/** The first event that concerns a subject in one of the lists and not in the other. */
function ofPostings(stored: Postings, built: Postings): EventPlace[] {
  const [lists, wanted] = [stored.columns(), built.columns()];
  return postingKinds.flatMap((kind): EventPlace[] => {
    const at = firstUnequal(lists[kind].events, wanted[kind].events);
    const isAlike = (['keys', 'ends'] as const).every((name) => {
      return firstUnequal(lists[kind][name], wanted[kind][name]) === null;
    });
    if (isAlike && at === null) return [];
    const events = [lists, wanted].map((of) => of[kind].events.cells[at ?? 0] ?? Infinity);
    const event = isAlike ? Math.min(...events) : 0;
    return [{ event: Number.isFinite(event) ? event : 0, differing: 'subject' }];
  });
}

/** Index of the first cell that differs, or that only one of the columns has; null if none. */
function firstUnequal(one: Column | undefined, other: Column): number | null {
  const length = Math.min(one?.length ?? 0, other.length);
  for (let at = 0; at < length; at++) if (one?.cells[at] !== other.cells[at]) return at;
  return one?.length === other.length ? null : length;
}

/** Whether two values are the same as JSON. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
