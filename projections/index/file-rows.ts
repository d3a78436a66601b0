/**
 * The rows of open files in a standing: by id, by the file that they keep alive, and the holds of each.
 *
 * A moment that is asked about few files looks for each row by itself. Tables of all rows are made only
 * once more is asked, because making them takes far longer than one search.
 *
 * @module
 */
import { positionOf, type FileId } from '../../processes/process-table.ts';
import { chained, chainsOf, type HoldChains } from './hold-chains.ts';
import type { RowFinder, RowKey } from './row-finder.ts';
import { FILE, type Standing } from './standing.ts';

/** Searches of all rows before tables are made. */
const SEARCHES_MAX = 16;

const none: readonly FileId[] = [];

export class FileRows {
  readonly #standing: Standing;
  readonly #finder: RowFinder;
  readonly #ids: FileId[] = [];
  #searches = 0;
  #byId: Map<FileId, number> | null = null;
  #pinned: ReadonlyMap<number, readonly FileId[]> | null = null;
  #chains: HoldChains | null = null;

  /** `finder` is that of the standing. */
  constructor(standing: Standing, finder: RowFinder) {
    this.#standing = standing;
    this.#finder = finder;
  }

  idOf(row: number): FileId {
    const { cells, width } = this.#standing.files;
    return (this.#ids[row] ??= `f${cells[row * width + FILE.opened]! - 1}`);
  }

  /** The row of a file; undefined if it is not open. */
  rowOf(id: FileId): number | undefined {
    if (this.#byId !== null || !this.#maySearch('fileByOpened')) return this.all().get(id);
    const [row] = this.#finder.rowsWith('fileByOpened', positionOf(id) + 1);
    return row !== undefined && this.idOf(row) === id ? row : undefined;
  }

  /** Rows of open files by their ids, in the order of their opens. */
  all(): ReadonlyMap<FileId, number> {
    if (this.#byId !== null) return this.#byId;
    const { cells, width, count } = this.#standing.files;
    const rows: number[] = [];
    for (let row = 0; row < count; row++) if (cells[row * width] !== 0) rows.push(row);
    this.#byId = new Map(this.#byOpen(rows).map((row) => [this.idOf(row), row]));
    return this.#byId;
  }

  /** The files that keep the one in a row alive, in the order of their opens. */
  pinnedBy(row: number): readonly FileId[] {
    if (this.#pinned !== null || !this.#maySearch('filesByPin')) {
      return this.#allPinned().get(row) ?? none;
    }
    const rows = this.#byOpen(this.#finder.rowsWith('filesByPin', row + 1));
    return rows.length === 0 ? none : rows.map((pin) => this.idOf(pin));
  }

  /** Rows of the holds of the file in a row. */
  holdsOf(row: number): number[] {
    if (this.#chains === null && this.#maySearch('holdsByFile')) {
      return this.#finder.rowsWith('holdsByFile', row + 1);
    }
    const { ofFile, nextOfFile } = this.chains();
    return chained(ofFile[row]!, nextOfFile);
  }

  chains(): HoldChains {
    return (this.#chains ??= chainsOf(this.#standing));
  }

  #maySearch(key: RowKey): boolean {
    return this.#finder.isQuick(key) || this.#searches++ < SEARCHES_MAX;
  }

  #byOpen(rows: number[]): number[] {
    const { cells, width } = this.#standing.files;
    return rows.length < 2 ? rows : rows.sort((a, b) => cells[a * width]! - cells[b * width]!);
  }

  /** As `pinnedBy`, for each row of a file that is kept alive. */
  #allPinned(): ReadonlyMap<number, readonly FileId[]> {
    if (this.#pinned !== null) return this.#pinned;
    const pinned = new Map<number, FileId[]>();
    const { cells, width } = this.#standing.files;
    for (const row of this.all().values()) {
      const kept = cells[row * width + FILE.pins]! - 1;
      if (kept < 0) continue;
      const by = pinned.get(kept);
      if (by === undefined) pinned.set(kept, [this.idOf(row)]);
      else by.push(this.idOf(row));
    }
    this.#pinned = pinned;
    return pinned;
  }
}
