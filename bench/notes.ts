/**
 * What is known of a log that was written, kept in a file beside it.
 *
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

export interface Notes {
  /** How many there are. */
  readonly events: number;
  /** Positions of refusals, spread over all of it: some of all, and some of each operation. */
  readonly refusals: readonly number[];
  readonly refused: Readonly<Record<string, readonly number[]>>;
  /** Every group and device that was found. */
  readonly groups: readonly string[];
  readonly devices: readonly string[];
  /** The rules by which it was opened first, and what that took. */
  readonly rules: string | null;
  readonly building: { readonly seconds: number; readonly megabytes: number };
}

/** Refusals whose positions are noted, at most, and those of an operation. */
const NOTED = 5000;
const NOTED_EACH = 500;

/** Null where the log was not written to its end. */
export function readNotes(log: string): Notes | null {
  const path = pathOf(log);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Notes) : null;
}

export function writeNotes(log: string, notes: Notes): void {
  writeFileSync(pathOf(log), JSON.stringify(notes));
}

interface Row {
  readonly position: number;
  readonly operation: string | null;
  readonly device: string | null;
  readonly grp: string | null;
}

/** Reads what is worth a note, all but what its first opening takes. */
export function notesOf(log: string): Omit<Notes, 'rules' | 'building'> {
  const db = new DatabaseSync(log, { readOnly: true });
  const { events } = db.prepare('SELECT max(position) + 1 AS events FROM events').get() as {
    readonly events: number;
  };
  const rows = db
    .prepare(
      `SELECT position, data ->> 'operation' AS operation, data ->> 'device' AS device,
         data ->> 'group' AS grp
       FROM events WHERE type IN ('operation.refused', 'device.added') ORDER BY position`,
    )
    .iterate() as unknown as Iterable<Row>;
  const refused = new Map<string, number[]>();
  const groups = new Set<string>();
  const devices = new Set<string>();
  for (const { position, operation, device, grp } of rows) {
    if (operation === null) {
      if (grp !== null) groups.add(grp);
      if (device !== null) devices.add(device);
    } else {
      const others = refused.get(operation);
      if (others === undefined) refused.set(operation, [position]);
      else others.push(position);
    }
  }
  db.close();
  const all = [...refused.values()].flat().toSorted((a, b) => a - b);
  const each = [...refused].map(([name, of]) => [name, spread(of, NOTED_EACH)] as const);
  return {
    events,
    refusals: spread(all, NOTED),
    refused: Object.fromEntries(each.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    groups: [...groups],
    devices: [...devices],
  };
}

/** At most so many of the values, each as far from the next. */
function spread(values: readonly number[], most: number): number[] {
  const every = Math.ceil(values.length / most);
  return values.filter((_, index) => index % every === 0);
}

const pathOf = (log: string) => log.replace(/\.ledger$/, '.notes.json');
