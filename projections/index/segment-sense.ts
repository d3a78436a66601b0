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
import type { Block } from './blocks.ts';
import type { Cells, Column } from './columns.ts';
import type { HandColumns, HoldColumns, NameColumns } from './hand-columns.ts';
import type { HandOvers } from './hand-overs.ts';
import type { PostingKind, PostingLists } from './postings.ts';
import type { Sealed } from './segment-bytes.ts';
import { piecesOf, type PieceName } from './segment-layout.ts';
import type { SegmentParts } from './segment-parts.ts';
import { GROUP } from './standing.ts';
import type { Times } from './times.ts';

/** Whether a segment can be read, of whatever events it tells. */
export function makesSense({ parts }: Sealed): boolean {
  try {
    const { blocks, times, handOvers, hands, postings, settled, types } = parts;
    const lists = postings.columns();
    const values: Readonly<Partial<Record<PieceName, unknown>>> = {
      ...lists,
      types,
      refusals: { settled },
      owners: handOvers,
      names: hands,
      holds: hands,
    };
    const isWhole = isTimes(times, parts.length);
    if (!isWhole || !areBlocks(parts)) return false;
    const all = Array.from({ length: blocks.length }, (_, index) => blocks.at(index));
    return (
      all.every((block, index) => isSensible('changes', block, parts, index)) &&
      piecesOf(0).every(([name]) => isSensible(name, values[name], parts, 0))
    );
  } catch {
    // A part is missing, or something else than it should be.
    return false;
  }
}

/** Whether the blocks can begin where they are said to. */
export function areBlocks({ blocks, length, lastBoot }: SegmentParts): boolean {
  let [last, before] = [-1, 0];
  for (let index = 0; index < blocks.length; index++) {
    const [event, held] = [blocks.eventAt(index), blocks.heldAt(index)];
    const isPlace = Number.isInteger(event) && event > last && event < Math.max(length, 1);
    if (!isPlace || !Number.isSafeInteger(held) || held < before) return false;
    [last, before] = [event, held];
  }
  return blocks.length > 0 && blocks.eventAt(0) === 0 && Number.isInteger(lastBoot);
}

/** Whether what was read from a piece fits the other parts of its segment. It may throw. */
export function isSensible(
  name: PieceName,
  value: unknown,
  parts: SegmentParts,
  block: number,
): boolean {
  switch (name) {
    case 'types':
      return (value as Column).length === parts.length;
    case 'refusals':
      return isSettled(value as Pick<SegmentParts, 'settled'>, parts);
    case 'owners':
      return isHandOvers(value as HandOvers, parts);
    case 'names':
      return areTables(value) && isAscending((value as NameColumns).texts.end);
    case 'holds':
      return areTables(value) && isHolds(value as HoldColumns);
    case 'times':
      return isTimes(value as Times, eventsOf(parts, block));
    case 'changes':
      return isBlock(value as Block, parts, block);
    case 'header':
    case 'judging':
      return true;
    default:
      return isPostings(value as PostingLists[PostingKind], parts);
  }
}

/** The number of events of a block. */
function eventsOf({ blocks, length }: SegmentParts, block: number): number {
  const end = block + 1 < blocks.length ? blocks.eventAt(block + 1) : length;
  return end - blocks.eventAt(block);
}

/** Each event has its rows, each row its cells, and no row lies beyond those that can be in use. */
function isBlock(read: Block, parts: SegmentParts, block: number): boolean {
  const { journal } = read;
  const { codes, blocks } = parts;
  const { rows, kinds } = journal;
  const { standing: start } = read.begin();
  if (start.held !== blocks.heldAt(block)) return false;
  if (!start.tables.every(({ count }) => Number.isInteger(count))) return false;
  if (rows.length !== eventsOf(parts, block) || sum(rows) !== kinds.length) return false;
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

function isTimes({ base, columns }: Times, count: number): boolean {
  return Number.isFinite(base) && columns.every(({ length }) => length === count);
}

function isSettled({ settled }: Pick<SegmentParts, 'settled'>, { length }: SegmentParts): boolean {
  const { event, refusal, as } = settled;
  return [refusal, as].every((column) => column.length === event.length) && mostIn(event) < length;
}

function isPostings(
  { keys, ends, events }: PostingLists[PostingKind],
  parts: SegmentParts,
): boolean {
  const isWhole = keys.length === ends.length && (cellsIn(ends).at(-1) ?? 0) === events.length;
  return isWhole && isAscending(ends) && isAscending(keys) && mostIn(events) < parts.length;
}

function isHandOvers({ columns }: HandOvers, { length: count, codes }: SegmentParts): boolean {
  const { event, group, before, ...others } = columns;
  return (
    [group, ...Object.values(others)].every(({ length }) => length === event.length) &&
    Number.isInteger(before.length / Object.keys(GROUP).length) &&
    mostIn(event) < count &&
    mostIn(group) < codes.groups.values.length
  );
}

/** Whether the columns of each table have one length. */
function areTables(hands: unknown): boolean {
  return Object.values(hands as HandColumns).every((table) => {
    const [first, ...others] = Object.values<Column>(table);
    return others.every(({ length }) => length === first!.length);
  });
}

/** The lists of hands end where others begin. */
function isHolds({ groups, hands }: HoldColumns): boolean {
  return (cellsIn(groups.end).at(-1) ?? 0) === hands.of.length && isAscending(groups.end);
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
