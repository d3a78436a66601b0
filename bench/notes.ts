/**
 * What is known of a log that was written, kept in a file beside it.
 *
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export interface Notes {
  readonly events: number;
  readonly boots: readonly number[];
  /** Positions of refusals, spread over all of it. */
  readonly refusals: readonly number[];
  /** What its first opening took. */
  readonly building: { readonly seconds: number; readonly megabytes: number };
}

/** Null where the log was not written to its end. */
export function readNotes(log: string): Notes | null {
  const path = pathOf(log);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Notes) : null;
}

export function writeNotes(log: string, notes: Notes): void {
  writeFileSync(pathOf(log), JSON.stringify(notes));
}

const pathOf = (log: string) => log.replace(/\.ledger$/, '.notes.json');
