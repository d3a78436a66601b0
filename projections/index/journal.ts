/**
 * What each event has changed, already judged, in columns; and how a standing takes it.
 *
 * An event has a type, and rows: each a kind of change with its own columns. The kinds stand in the
 * order in which they happened, so that each of them needs no more than to be read on.
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

/** How far a standing has read a journal. */
export class Cursor {
  /** Events taken, and rows. */
  event = 0;
  row = 0;
  /** Of each kind of change how many have been read. */
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
  /** Of each event its type, and how many rows it has. */
  types = new Column();
  rows = new Column();
  /** Of each row its kind. */
  kinds = new Column();
  /** Of each kind its columns. */
  changes: Column[][];

  constructor(first: number) {
    this.first = first;
    this.changes = changeKinds.map((kind) => changes[kind].columns.map(() => new Column()));
  }

  get length(): number {
    return this.types.length;
  }

  /** Adds a row to the event that is being written; it counts once the event is `done`. */
  write(kind: ChangeKind, cells: readonly number[]): void {
    const code = changeCodes[kind];
    this.kinds.push(code);
    const columns = this.changes[code] ?? [];
    for (const [index, column] of columns.entries()) column.push(cells[index] ?? 0);
  }

  /** Ends an event; its rows are those written since the one before. */
  done(type: number, rows: number): void {
    this.types.push(type);
    this.rows.push(rows);
  }

  /** The same in narrow columns. */
  sealed(): Journal {
    const sealed = new Journal(this.first);
    sealed.types = this.types.sealed();
    sealed.rows = this.rows.sealed();
    sealed.kinds = this.kinds.sealed();
    sealed.changes = this.changes.map((columns) => columns.map((column) => column.sealed()));
    return sealed;
  }

  /** The cells of the columns of a kind. */
  cellsOf(kind: ChangeKind): Cells[] {
    return (this.changes[changeCodes[kind]] ?? []).map(({ cells }) => cells);
  }
}

const takes = changeKinds.map((kind) => changes[kind].take);

/**
 * Has a standing take the events from where a cursor stands up to the event of that number in the
 * journal, which is not taken.
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
  const columns = changeKinds.map((kind) => journal.cellsOf(kind));
  const { read } = cursor;
  let { event, row } = cursor;
  for (; event < end; event++) {
    const position = journal.first + event;
    for (let left = rows[event]!; left > 0; left--) {
      const kind = kinds[row++]!;
      takes[kind]!(standing, columns[kind]!, read[kind]!++, position, observer);
    }
  }
  cursor.event = event;
  cursor.row = row;
}
