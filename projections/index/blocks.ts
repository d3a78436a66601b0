/**
 * The blocks of a segment: runs of events, each with the standing before its first one, so that a moment
 * is reached from the begin of its block.
 *
 * A block ends when it has made enough changes: a share of those of a segment, and more of them than
 * its standing has rows, so that the standings take no more room than the changes do.
 *
 * @module
 */
import { changeKinds, changes } from './changes.ts';
import { cellTypes, cellTypeOf, Column, type CellType } from './columns.ts';
import { Cursor, Journal } from './journal.ts';
import { CellRows, Standing } from './standing.ts';

/** Blocks of a whole segment, if each of its events makes one change. */
const BLOCKS = 16;
/** Changes of a block for each row of the standing, at least. */
const CHANGES_PER_ROW = 2;

/** A standing, and how much of a journal it has applied. */
export interface Copy {
  readonly cursor: Cursor;
  readonly standing: Standing;
}

export interface Block {
  /** It has the changes of the block, and may have others. */
  readonly journal: Journal;
  /** The standing before the first event of the block; the caller may change it. */
  begin(): Copy;
}

/** The blocks of a segment, by their indexes. */
export interface Blocks {
  readonly length: number;
  /** The first event of a block, counted from the first of the segment. */
  eventAt(index: number): number;
  /** The number of holds made before a block. */
  heldAt(index: number): number;
  at(index: number): Block;
  /** The columns of a block, in the order in which they are written. */
  columnsAt(index: number): Column[];
}

/** The index of the last block that begins at or before an event. */
export function blockOfEvent(blocks: Blocks, event: number): number {
  return lastUntil(blocks, event, (index) => blocks.eventAt(index));
}

/** The index of the block that made the hold with a number. */
export function blockOfHold(blocks: Blocks, hold: number): number {
  return lastUntil(blocks, hold, (index) => blocks.heldAt(index));
}

function lastUntil({ length }: Blocks, wanted: number, at: (index: number) => number): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(middle) <= wanted) low = middle + 1;
    else high = middle;
  }
  return Math.max(low - 1, 0);
}

/** Blocks of a journal in memory. */
export class JournalBlocks implements Blocks {
  readonly #journal: Journal;
  readonly #copies: Copy[];
  readonly #blocks: Block[] = [];

  /** The first of the copies is of the standing before the first event. */
  constructor(journal: Journal, copies: readonly Copy[]) {
    this.#journal = journal;
    this.#copies = [...copies];
  }

  get length(): number {
    return this.#copies.length;
  }

  eventAt(index: number): number {
    return this.#copies[index]!.cursor.event;
  }

  heldAt(index: number): number {
    return this.#copies[index]!.standing.held;
  }

  at(index: number): Block {
    const copy = this.#copies[index]!;
    return (this.#blocks[index] ??= { journal: this.#journal, begin: () => copyOf(copy) });
  }

  columnsAt(index: number): Column[] {
    const { cursor, standing } = this.#copies[index]!;
    const end = this.#copies[index + 1]?.cursor ?? endOf(this.#journal);
    const { rows, kinds, changes: made } = this.#journal;
    return [
      ...columnsOfStanding(standing),
      cut(rows, cursor.event, end.event),
      cut(kinds, cursor.row, end.row),
      ...made.flatMap((columns, kind) => {
        return columns.map((column) => cut(column, cursor.read[kind]!, end.read[kind]!));
      }),
    ];
  }

  /** Begins a block before the next event of a whole segment of so many, if it is time for one. */
  extend(cursor: Cursor, standing: Standing, whole: number): void {
    const made = cursor.row - this.#copies.at(-1)!.cursor.row;
    if (made < whole / BLOCKS) return;
    const rows = standing.tables.reduce((sum, { count }) => sum + count, 0);
    if (made >= CHANGES_PER_ROW * rows) this.#copies.push(copyOf({ cursor, standing }));
  }

  /** The same blocks of a copy of the journal. */
  of(journal: Journal): JournalBlocks {
    return new JournalBlocks(journal, this.#copies);
  }
}

function copyOf({ cursor, standing }: Copy): Copy {
  return { cursor: cursor.copy(), standing: standing.copy() };
}

function endOf({ rows, kinds, changes: made }: Journal): Cursor {
  const end = new Cursor();
  end.event = rows.length;
  end.row = kinds.length;
  end.read.set(made.map(([column]) => column?.length ?? 0));
  return end;
}

/** The cells from one index up to but without another. */
export function cut({ cells }: Column, from: number, to: number): Column {
  return new Column(cells.subarray(from, to), to - from);
}

/** `begin` has the cells of the waiter, the number of holds made before, and `unheard`. */
function columnsOfStanding(standing: Standing): Column[] {
  const { waiter, held, unheard, tables } = standing;
  const begin = Float64Array.of(waiter.device, waiter.pid, waiter.comm, held, unheard);
  const cells = tables.map(({ cells: all, count, width }) =>
    cut(new Column(all), 0, count * width),
  );
  return [new Column(begin, begin.length), ...cells].map((column) => column.sealed());
}

const TABLES = new Standing().tables.map(({ width }) => width);
const COLUMNS = changeKinds.map((kind) => changes[kind].columns.length);
/** Columns of a block that hold its standing: the first ones. */
export const STANDING_COLUMNS = 1 + TABLES.length;
/** Columns of a block. */
export const BLOCK_COLUMNS = STANDING_COLUMNS + 2 + COLUMNS.reduce((sum, count) => sum + count, 0);

/** A block by its columns; `first` is the position of its first event. */
export function blockOf(columns: readonly Column[], first: number): Block {
  const left = columns.slice(1 + TABLES.length).values();
  const journal = new Journal(first);
  journal.rows = left.next().value!;
  journal.kinds = left.next().value!;
  journal.changes = COLUMNS.map((count) => Array.from({ length: count }, () => left.next().value!));
  const begin = () => ({ cursor: new Cursor(), standing: standingIn(columns) });
  return { journal, begin };
}

/** The standing in the columns of a block. */
function standingIn([begin, ...tables]: readonly Column[]): Standing {
  const [device = 0, pid = 0, comm = 0, held = 0, unheard = 0] = begin!.cells;
  const rows = TABLES.map((width, index) => {
    const { cells, length } = tables[index]!;
    return new CellRows(width, new Uint32Array(cells), length / width);
  });
  const standing = new Standing(...rows);
  return Object.assign(standing, { waiter: { device, pid, comm }, held, unheard });
}

/** The journal of a segment from those of its blocks, in order. */
export function joined(first: number, blocks: readonly Block[]): Journal {
  const journals = blocks.map(({ journal }) => journal);
  const journal = new Journal(first);
  journal.rows = join(journals.map(({ rows }) => rows));
  journal.kinds = join(journals.map(({ kinds }) => kinds));
  journal.changes = COLUMNS.map((count, kind) => {
    return Array.from({ length: count }, (_, index) => {
      return join(journals.map(({ changes: made }) => made[kind]![index]!));
    });
  });
  return journal;
}

/** One column after the other, in cells that the values of all fit in. */
export function join(columns: readonly Column[]): Column {
  const order = Object.keys(cellTypes) as CellType[];
  const widest = Math.max(0, ...columns.map((column) => order.indexOf(cellTypeOf(column))));
  const length = columns.reduce((sum, column) => sum + column.length, 0);
  const cells = new cellTypes[order[widest]!](length);
  let at = 0;
  for (const column of columns) {
    cells.set(column.cells.subarray(0, column.length), at);
    at += column.length;
  }
  return new Column(cells, length);
}

/**
 * The event that wrote a row of a kind of change in a block, counted in its journal; `index` counts
 * from the begin of the block. Throws `RangeError`.
 */
export function eventOfRow(block: Block, kind: number, index: number): number {
  const { journal } = block;
  const { rows, kinds, length } = journal;
  let { event, row } = block.begin().cursor;
  for (let left = index; event < length; event++) {
    for (let made = rows.cells[event]!; made > 0; made--) {
      if (kinds.cells[row++] === kind && left-- === 0) return event;
    }
  }
  throw new RangeError(`a block from ${journal.first} has no row ${index} of ${changeKinds[kind]}`);
}
