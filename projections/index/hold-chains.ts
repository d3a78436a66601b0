/**
 * The holds of each file and of each process, as chains of rows: built in one pass over a standing.
 *
 * @module
 */
import { HOLD, type Standing } from './standing.ts';

/** A cell has a row of a hold + 1; 0 ends a chain. Chains are in the order of rows. */
export interface HoldChains {
  /** By row of a file: its first hold. */
  readonly ofFile: Uint32Array;
  /** By row of a hold: the next one of the same file. */
  readonly nextOfFile: Uint32Array;
  /** By row of a process: its first hold. */
  readonly ofProcess: Uint32Array;
  /** By row of a hold: the next one of the same process. */
  readonly nextOfProcess: Uint32Array;
}

export function chainsOf({ files, holds, processes }: Standing): HoldChains {
  const ofFile = new Uint32Array(files.count);
  const nextOfFile = new Uint32Array(holds.count);
  const ofProcess = new Uint32Array(processes.count);
  const nextOfProcess = new Uint32Array(holds.count);
  const { cells, width } = holds;
  for (let row = holds.count - 1; row >= 0; row--) {
    const file = cells[row * width + HOLD.file]! - 1;
    if (file < 0) continue;
    const process = cells[row * width + HOLD.process]!;
    nextOfFile[row] = ofFile[file]!;
    ofFile[file] = row + 1;
    nextOfProcess[row] = ofProcess[process]!;
    ofProcess[process] = row + 1;
  }
  return { ofFile, nextOfFile, ofProcess, nextOfProcess };
}

/** The rows of a chain. */
export function chained(first: number, next: Uint32Array): number[] {
  const rows: number[] = [];
  for (let hold = first; hold !== 0; hold = next[hold - 1]!) rows.push(hold - 1);
  return rows;
}
