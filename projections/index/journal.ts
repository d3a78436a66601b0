/**
 * The journal of a segment: what each event changed, in columns; and `advance`, which applies these
 * changes to a standing.
 *
 * An event has any number of rows. A row has a kind of change, and its cells are in the
 * columns of that kind. A reader goes through the columns of each kind once, from the first row on.
 *
 * @module
 */
import {
  changeCodes,
  changeKinds,
  changes,
  type ChangeKind,
  type OwnerObserver,
} from './changes.ts';
import { Column, type Cells } from './columns.ts';
import type { Standing } from './standing.ts';

/** How much of a journal a standing has applied. */
export class Cursor {
  /** Number of events applied: the index of the next event. */
  event = 0;
  /** Number of rows applied. */
  row = 0;
  /** Number of rows applied, for each kind of change by its code. */
  readonly read = new Uint32Array(changeKinds.length);

  copy(): Cursor {
    const copy = new Cursor();
    copy.event = this.event;
    copy.row = this.row;
    copy.read.set(this.read);
    return copy;
  }
}

export class Journal {
  /** Position of its first event. */
  readonly first: number;
  /** The number of rows of each event. */
  rows = new Column();
  /** The kind of each row, by its code. */
  kinds = new Column();
  /** The columns of each kind, by its code. */
  changes: Column[][];

  constructor(first: number) {
    this.first = first;
    this.changes = changeKinds.map((kind) => changes[kind].columns.map(() => new Column()));
  }

  get length(): number {
    return this.rows.length;
  }

  /** Adds a row to the event that is being written; it counts only after `done`. */
  write(kind: ChangeKind, cells: readonly number[]): void {
    const code = changeCodes[kind];
    this.kinds.push(code);
    const columns = this.changes[code] ?? [];
    for (const [index, column] of columns.entries()) column.push(cells[index] ?? 0);
  }

  /** Ends an event; `rows` is how many rows were written since the previous event. */
  done(rows: number): void {
    this.rows.push(rows);
  }

  /** A copy in the narrowest columns. */
  sealed(): Journal {
    const sealed = new Journal(this.first);
    sealed.rows = this.rows.sealed();
    sealed.kinds = this.kinds.sealed();
    sealed.changes = this.changes.map((columns) => columns.map((column) => column.sealed()));
    return sealed;
  }

  cellsOf(kind: ChangeKind): Cells[] {
    return (this.changes[changeCodes[kind]] ?? []).map(({ cells }) => cells);
  }
}

const takes = changeKinds.map((kind) => changes[kind].take);

/**
 * Applies events to a standing, from the one at the cursor up to but without event `end` of the
 * journal, and moves the cursor.
 */
export function advance(
  journal: Journal,
  standing: Standing,
  cursor: Cursor,
  end: number,
  observer: OwnerObserver | null = null,
): void {
  const rows = journal.rows.cells;
  const kinds = journal.kinds.cells;
  // Looked up when the first row of a kind is met: most calls are for one event, of few kinds.
  const columns: Cells[][] = [];
  const { read } = cursor;
  let { event, row } = cursor;
  for (; event < end; event++) {
    const position = journal.first + event;
    for (let left = rows[event]!; left > 0; left--) {
      const kind = kinds[row++]!;
      const cells = (columns[kind] ??= journal.cellsOf(changeKinds[kind]!));
      takes[kind]!(standing, cells, read[kind]!++, position, observer);
    }
  }
  cursor.event = event;
  cursor.row = row;
}
