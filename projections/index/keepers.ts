/**
 * What keeps one file alive, found in the rows of a standing. Unlike `hold-chains.ts` it makes no
 * tables of all files: for a question about few files at many moments.
 *
 * @module
 */
import { positionOf, type FileId } from '../../processes/process-table.ts';
import { holdIn, type HoldAt } from './hold-at.ts';
import { FILE, HOLD, type Standing } from './standing.ts';
import type { StandingView } from './view.ts';

/** The row of the file that was opened at a position; -1 if it is closed. */
function rowOpenedAt({ files: { cells, width, count } }: Standing, position: number): number {
  for (let row = 0; row < count; row++) if (cells[row * width] === position + 1) return row;
  return -1;
}

/**
 * The rows of the file that was opened at a position and of those that keep it alive, directly or
 * through others; none if it is closed.
 */
function rowsKeeping(standing: Standing, position: number): number[] {
  const { cells, width, count } = standing.files;
  const own = rowOpenedAt(standing, position);
  const rows = own < 0 ? [] : [own];
  // The list grows while it is read.
  for (const kept of rows) {
    if (rows.length > count) throw new RangeError('files keep each other alive in a circle');
    for (let row = 0; row < count; row++) {
      const at = row * width;
      if (cells[at] !== 0 && cells[at + FILE.pins] === kept + 1) rows.push(row);
    }
  }
  return rows;
}

/** The rows of the descriptors and mappings of the files in some rows. */
function rowsHolding({ holds, files }: Standing, rows: Iterable<number>): number[] {
  const { cells, width, count } = holds;
  const isWanted = new Uint8Array(files.count + 1);
  for (const row of rows) isWanted[row + 1] = 1;
  const found: number[] = [];
  for (let row = 0; row < count; row++) {
    const file = cells[row * width + HOLD.file]!;
    if (file !== 0 && isWanted[file] === 1) found.push(row);
  }
  return found;
}

/** Files, and all descriptors and mappings of them. */
interface Held {
  readonly files: readonly FileId[];
  readonly holds: readonly HoldAt[];
}

/** A file and those that keep it alive; none if it is closed. */
export function keepersOf({ rows: { standing, codes } }: StandingView, file: FileId): Held {
  const rows = rowsKeeping(standing, positionOf(file));
  const holds = rowsHolding(standing, rows).map((row) => {
    const of = standing.holds.cells[row * standing.holds.width + HOLD.file]! - 1;
    return holdIn(standing, codes, row, fileIn(standing, of));
  });
  return { files: rows.map((row) => fileIn(standing, row)), holds };
}

function fileIn({ files: { cells, width } }: Standing, row: number): FileId {
  return `f${cells[row * width + FILE.opened]! - 1}`;
}
