/**
 * Appends as messages of JetStream: a subject for each host, and a message for each append.
 *
 * A message holds the rows of an append as a JSON array, and in a header the position of the first one.
 * The sequence of a message counts the messages of all hosts, so it is not a position.
 *
 * @module
 */
import type { Row } from './row.ts';
import { CorruptLogError } from './store.ts';

export const POSITION = 'Vfio-Ledger-Position';

/** A message as it is stored. `sequence` is its place among those of all hosts. */
export interface StoredAppend {
  readonly sequence: number;
  /** The header `POSITION`; empty if there is none. */
  readonly position: string;
  readonly text: string;
}

/**
 * The subject of a host in a log. A token of a subject has no dot, blank, `*` or `>`: other characters
 * than letters, digits, `-`, `_`, `~`, `!`, `'`, `(` and `)` are written as `%` and their bytes in UTF-8.
 */
export function subjectOf(log: string, host: string): string {
  return `${log}.${encodeURIComponent(host).replace(/[.*]/g, escaped)}`;
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** The host of a subject; undefined if `subjectOf` makes no such subject. */
export function hostOf(log: string, subject: string): string | undefined {
  try {
    const host = decodeURIComponent(subject.slice(log.length + 1));
    return subjectOf(log, host) === subject ? host : undefined;
  } catch {
    return undefined;
  }
}

/** The rows of a message. Throws `CorruptLogError` if it is not what `JSON.stringify(rows)` has made. */
export function rowsOf({ sequence, position, text }: StoredAppend): readonly Row[] {
  const first = /^\d+$/.test(position) ? Number(position) : null;
  const rows = parsed(text);
  if (!Array.isArray(rows) || rows.length === 0 || !rows.every(isRow)) {
    throw new CorruptLogError(first, `message ${sequence} of the server has no events`);
  }
  if (rows[0]?.[0] !== first) {
    const found = `message ${sequence} of the server says another position than its first event`;
    throw new CorruptLogError(rows[0]?.[0] ?? null, found);
  }
  return rows;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isRow(value: unknown): value is Row {
  if (!Array.isArray(value) || value.length !== 7) return false;
  const [position, time, id, schema, type, data, hash] = value as unknown[];
  return (
    Number.isSafeInteger(position) &&
    Number.isSafeInteger(schema) &&
    (time === null || typeof time === 'string') &&
    [id, type, data, hash].every((text) => typeof text === 'string')
  );
}
