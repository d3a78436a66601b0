/**
 * The forms of an event in a store: the entry to append, the stored row, and the recorded event.
 *
 * @module
 */
import { isError } from '../events/is-error.ts';
import { decode, DecodeError, NewerSchemaError, validate } from '../events/codec.ts';
import { SCHEMA, type LedgerEvent } from '../events/vocabulary.ts';
import { hashOf } from './hash.ts';
import { CorruptLogError, type Head, type RecordedEvent } from './store.ts';

/** A validated event in canonical form. `data` is the JSON text that is stored and hashed. */
export interface Entry {
  readonly time: string | null;
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** An event as it is stored. */
export type Row = readonly [
  position: number,
  time: string | null,
  id: string,
  schema: number,
  type: string,
  data: string,
  hash: string,
];

/** Validates an event. Throws `DecodeError`. */
export function entryOf(event: LedgerEvent): Entry {
  const { time, id, type, data } = validate(event);
  return { time, id: plainText(id, 'id'), type, data: JSON.stringify(data) };
}

/**
 * Returns the text. Throws `DecodeError` if it has half a surrogate pair or a control character. SQLite
 * and its tools do not keep these: NUL ends a text, and a line feed makes the hashed text ambiguous.
 */
function plainText(text: string, path: string): string {
  if (!isPlain(text)) {
    throw new DecodeError(path, `${JSON.stringify(text)} has a character that cannot be stored`);
  }
  return text;
}

function isPlain(text: string): boolean {
  return !/[\p{Cc}\p{Cs}]/u.test(text);
}

/** Whether a stream can have this name. */
export function isStreamName(text: string): boolean {
  return text !== '' && isPlain(text);
}

/** Returns the name of a stream. Throws `DecodeError` if it is empty or cannot be stored. */
export function streamName(stream: string): string {
  if (stream === '') throw new DecodeError('stream', 'the name is empty');
  return plainText(stream, 'stream');
}

/** The row of an entry at a position, chained to the hash `previous`. */
export function rowOf(entry: Entry, position: number, previous: string): Row {
  const { time, id, type, data } = entry;
  const hash = hashOf(previous, position, time, id, SCHEMA, type, data);
  return [position, time, id, SCHEMA, type, data, hash];
}

/** The rows of entries that follow a head, each chained to the one before. */
export function rowsAfter({ position, hash }: Head, entries: readonly Entry[]): Row[] {
  let previous = hash;
  return entries.map((entry, index) => {
    const row = rowOf(entry, position + 1 + index, previous);
    previous = row[6];
    return row;
  });
}

/** The head that a row is, once it is the last of its stream. */
export function headOfRow([position, , , , , , hash]: Row): Head {
  return { position, hash };
}

/** The rows before the first damaged one, the head after them, and the damage; null if there is none. */
export interface Verified {
  readonly rows: readonly Row[];
  readonly head: Head;
  readonly damage: CorruptLogError | null;
}

/**
 * Verifies rows that another log has after a head, as `recordedOf` does. `log`: how messages name it.
 * Throws `NewerSchemaError`.
 */
export function verified(log: string, before: Head, rows: readonly Row[]): Verified {
  let head = before;
  for (const [index, row] of rows.entries()) {
    try {
      recordedOf(row, head.position + 1, head.hash);
      head = headOfRow(row);
    } catch (error) {
      if (!(error instanceof CorruptLogError)) throw error;
      return { rows: rows.slice(0, index), head, damage: error.inLog(log) };
    }
  }
  return { rows, head, damage: null };
}

/** Whether two heads are the same place in the same history. */
export function isSameHead(one: Head, other: Head): boolean {
  return one.position === other.position && one.hash === other.hash;
}

/**
 * Verifies and decodes a row: its position, its hash after `previous`, and its content.
 *
 * Throws `CorruptLogError` if any of them is wrong, and `NewerSchemaError` if the row is intact but of
 * a schema newer than this release.
 */
export function recordedOf(row: Row, position: number, previous: string): RecordedEvent {
  const [found, storedTime, storedId, schema, storedType, json, hash] = row;
  if (found !== position) {
    throw new CorruptLogError(position, `no event here; the next one found is at ${found}`);
  }
  if (hash !== hashOf(previous, position, storedTime, storedId, schema, storedType, json)) {
    throw new CorruptLogError(position, 'the event does not match its hash');
  }
  try {
    const content = JSON.parse(json) as unknown;
    const stored = { id: storedId, time: storedTime, schema, type: storedType, data: content };
    const { id, time, type, data } = decode(stored);
    return { id, time, type, data, position, schema, hash } as RecordedEvent;
  } catch (error) {
    if (error instanceof NewerSchemaError || !isError(error)) throw error;
    throw new CorruptLogError(position, `the event cannot be decoded: ${error.message}`);
  }
}
