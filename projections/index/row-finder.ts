/**
 * Finds rows of a standing by the value of a cell, also while the standing moves.
 *
 * The first searches look at each row. From then on the rows are kept by their values, and each move of
 * the standing costs what it changes: an answer that looks at many moments does not search all rows
 * at each of them.
 *
 * @module
 */
import { Multimap } from '../multimap.ts';
import { changeCodes, type ChangeKind } from './changes.ts';
import type { Cursor, Journal } from './journal.ts';
import { FILE, HOLD, PROCESS, type CellRows, type Standing } from './standing.ts';

/** What rows are found by: a cell of a table. */
const searchable = {
  fileByOpened: { table: 'files', cell: FILE.opened },
  filesByPin: { table: 'files', cell: FILE.pins },
  holdsByFile: { table: 'holds', cell: HOLD.file },
  holdsByProcess: { table: 'holds', cell: HOLD.process },
  processByPid: { table: 'processes', cell: PROCESS.pid },
} as const;

export type RowKey = keyof typeof searchable;

/** The kinds of changes of each table, whose first column is the row. */
const changesOf: Readonly<Record<'files' | 'holds' | 'processes', readonly ChangeKind[]>> = {
  files: ['fileOpened', 'fileSet', 'fileClosed'],
  holds: ['held', 'dropped'],
  processes: ['processStarted', 'processEnded'],
};

/** Searches of all rows before the rows are kept by their values, which costs about as much. */
const SEARCHES_MAX = 64;

export class RowFinder {
  readonly #standing: Standing;
  readonly #searches = new Map<RowKey, number>();
  readonly #kept = new Map<RowKey, KeptRows>();

  constructor(standing: Standing) {
    this.#standing = standing;
  }

  /** Whether a search does not look at each row. */
  isQuick(key: RowKey): boolean {
    return this.#kept.has(key);
  }

  /** The rows in use that have a value in a cell, ascending. */
  rowsWith(key: RowKey, value: number): number[] {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept.of(value);
    const { table, cell } = searchable[key];
    const searches = (this.#searches.get(key) ?? 0) + 1;
    this.#searches.set(key, searches);
    if (searches <= SEARCHES_MAX) return searched(this.#standing[table], cell, value);
    const rows = new KeptRows(this.#standing[table], cell);
    this.#kept.set(key, rows);
    return rows.of(value);
  }

  /** To be called after the standing has moved on in a journal, from the first cursor to the second. */
  moved(journal: Journal, { read: from }: Cursor, { read: to }: Cursor): void {
    if (this.#kept.size === 0) return;
    if (from[changeCodes.booted] !== to[changeCodes.booted]) return this.#forget();
    for (const [key, rows] of this.#kept) {
      for (const kind of changesOf[searchable[key].table]) {
        const code = changeCodes[kind];
        const [row] = journal.cellsOf(kind);
        for (let at = from[code]!; at < to[code]!; at++) rows.update(row![at]!);
      }
    }
  }

  #forget(): void {
    this.#kept.clear();
    this.#searches.clear();
  }
}

/** The rows in use of a table, by the value of a cell. */
class KeptRows {
  readonly #table: CellRows;
  readonly #cell: number;
  readonly #rows = new Multimap<number, number>();
  /** By row, the value under which it is kept; null for a row that is not in use. */
  readonly #values: (number | null)[] = [];

  constructor(table: CellRows, cell: number) {
    this.#table = table;
    this.#cell = cell;
    for (let row = 0; row < table.count; row++) this.update(row);
  }

  of(value: number): number[] {
    const rows = this.#rows.of(value);
    return rows.length < 2 ? rows : rows.sort((a, b) => a - b);
  }

  /** The cells of a row may have changed. */
  update(row: number): void {
    const { cells, width } = this.#table;
    const at = row * width;
    const value = cells[at] === 0 ? null : cells[at + this.#cell]!;
    const before = this.#values[row] ?? null;
    if (value === before) return;
    this.#rows.delete(before, row);
    this.#rows.add(value, row);
    this.#values[row] = value;
  }
}

function searched({ cells, width, count }: CellRows, cell: number, value: number): number[] {
  const rows: number[] = [];
  for (let at = 0, row = 0; row < count; at += width, row++) {
    if (cells[at + cell] === value && cells[at] !== 0) rows.push(row);
  }
  return rows;
}
