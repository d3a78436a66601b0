/**
 * Whether the columns of a segment fit each other: a checksum is no proof of who wrote them.
 *
 * It finds what would make a reader loop for ever, or ask for more memory than there is: lengths,
 * ends of lists and rows. Whether the values are the right ones, only the events can tell
 * (`rebuild.ts`).
 *
 * @module
 */
import { changeCodes, changeKinds, type ChangeKind } from './changes.ts';
import type { Cells, Column } from './columns.ts';
import { postingKinds } from './postings.ts';
import type { Sealed } from './segment-bytes.ts';
import { GROUP } from './standing.ts';

/** Whether a segment can be read, of whatever events it tells. */
export function makesSense(sealed: Sealed): boolean {
  try {
    return [isJournal, isTimes, isPostings, isHandOvers, isHands, isStart].every((fits) =>
      fits(sealed),
    );
  } catch {
    // A part is missing, or something else than it should be.
    return false;
  }
}

/** Each event has its rows, each row its cells, and no row lies beyond those that can be in use. */
function isJournal({ stamp: { count }, parts: { journal, codes, start } }: Sealed): boolean {
  const { types, rows, kinds } = journal;
  if (types.length !== count || rows.length !== count) return false;
  if (sum(rows) !== kinds.length) return false;
  const made = changeKinds.map(() => 0);
  for (const kind of cellsIn(kinds)) {
    if (made[kind] === undefined) return false;
    made[kind]++;
  }
  const areWhole = journal.changes.every((columns, kind) => {
    return columns.every(({ length }) => length === made[kind]);
  });
  const rowsOf = (kind: ChangeKind) => journal.changes[changeCodes[kind]]?.[0] ?? kinds;
  const isWithin = (kind: ChangeKind, end: number) => mostIn(rowsOf(kind)) < end;
  const { files, processes, holds } = start;
  return (
    areWhole &&
    isWithin('deviceSet', codes.devices.values.length) &&
    isWithin('deviceMoved', codes.devices.values.length) &&
    isWithin('groupSet', codes.groups.values.length) &&
    isWithin('fileOpened', files.count + kinds.length) &&
    isWithin('processStarted', processes.count + kinds.length) &&
    isWithin('held', holds.count + kinds.length)
  );
}

function isTimes({ stamp: { count }, parts: { times } }: Sealed): boolean {
  return Number.isFinite(times.base) && times.columns.every(({ length }) => length === count);
}

function isPostings({ stamp: { count }, parts: { postings } }: Sealed): boolean {
  const lists = postings.columns();
  return postingKinds.every((kind) => {
    const { keys, ends, events } = lists[kind];
    const isWhole = keys.length === ends.length && (cellsIn(ends).at(-1) ?? 0) === events.length;
    return isWhole && isAscending(ends) && isAscending(keys) && mostIn(events) < count;
  });
}

function isHandOvers({ stamp: { count }, parts: { handOvers, codes } }: Sealed): boolean {
  const { event, group, before, ...others } = handOvers.columns;
  return (
    [group, ...Object.values(others)].every(({ length }) => length === event.length) &&
    Number.isInteger(before.length / Object.keys(GROUP).length) &&
    mostIn(event) < count &&
    mostIn(group) < codes.groups.values.length
  );
}

/** Each table of hands has columns of one length, and its lists end where others begin. */
function isHands({ parts: { hands } }: Sealed): boolean {
  if (hands === null) return false;
  const areWhole = Object.values(hands).every((table) => {
    const [first, ...others] = Object.values<Column>(table);
    return others.every(({ length }) => length === first!.length);
  });
  const { groups, hands: held, texts } = hands;
  const isListed = (cellsIn(groups.end).at(-1) ?? 0) === held.of.length;
  return areWhole && isListed && isAscending(groups.end) && isAscending(texts.end);
}

/** The tables before the first event have whole rows. */
function isStart({ parts: { start } }: Sealed): boolean {
  return start.tables.every(({ count }) => Number.isInteger(count));
}

function cellsIn({ cells, length }: Column): Cells {
  return cells.subarray(0, length);
}

function sum(column: Column): number {
  let total = 0;
  for (const cell of cellsIn(column)) total += cell;
  return total;
}

/** The largest cell; -1 if there is none, Infinity if one is no whole number. */
function mostIn(column: Column): number {
  let most = -1;
  for (const cell of cellsIn(column)) {
    if (cell > most) most = cell;
    else if (!(cell >= 0)) return Infinity;
  }
  return Number.isInteger(most) ? most : Infinity;
}

function isAscending(column: Column): boolean {
  let last = -1;
  for (const cell of cellsIn(column)) {
    if (!(cell > last)) return false;
    last = cell;
  }
  return true;
}
