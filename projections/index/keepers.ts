/**
 * What keeps one file alive, found in the rows of a standing. Unlike `hold-chains.ts` it makes no
 * tables of all files: for a question about few files at many moments.
 *
 * @module
 */
import { FILE, HOLD, type Standing } from './standing.ts';

/** The row of the file that was opened at a position; -1 if it is closed. */
function rowOpenedAt({ files: { cells, width, count } }: Standing, position: number): number {
  for (let row = 0; row < count; row++) if (cells[row * width] === position + 1) return row;
  return -1;
}

/**
 * The rows of the file that was opened at a position and of those that keep it alive, directly or
 * through others; none if it is closed.
 */
export function rowsKeeping(standing: Standing, position: number): number[] {
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
export function rowsHolding({ holds, files }: Standing, rows: Iterable<number>): number[] {
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
