/**
 * An event on its way into a store and out again: as an entry, as a row, as a recorded event.
 *
 * @module
 */
import { decode, DecodeError, NewerSchemaError } from '../events/codec.ts';
import { SCHEMA, type LedgerEvent } from '../events/vocabulary.ts';
import { hashOf } from './hash.ts';
import { CorruptLogError, type RecordedEvent } from './store.ts';

/** An event fit to be stored: valid, in canonical form, `data` as the text that is hashed. */
export interface Entry {
  readonly time: string | null;
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** An event as it lies in a store. */
export type Row = readonly [
  position: number,
  time: string | null,
  id: string,
  schema: number,
  type: string,
  data: string,
  hash: string,
];

/** Throws `DecodeError` when the event is not one of ours. */
export function entryOf(event: LedgerEvent): Entry {
  const { time, id, type, data } = decode({ ...event, schema: SCHEMA });
  return { time, id: plainText(id, 'id'), type, data: JSON.stringify(data) };
}

/**
 * The text, unless it is one that SQLite and the tools around it do not keep as it is: with a
 * control character (NUL ends it, a line feed blurs what is hashed) or half a surrogate pair.
 */
function plainText(text: string, path: string): string {
  if (/[\p{Cc}\p{Cs}]/u.test(text)) {
    throw new DecodeError(path, `${JSON.stringify(text)} holds a character that cannot be stored`);
  }
  return text;
}

/** The name of a stream, unless it is none that can be stored. Throws `DecodeError`. */
export function streamName(stream: string): string {
  if (stream === '') throw new DecodeError('stream', 'a stream has a name');
  return plainText(stream, 'stream');
}

/** The row of an entry at a position, chained to the hash before it. */
export function rowOf(entry: Entry, position: number, previous: string): Row {
  const { time, id, type, data } = entry;
  const hash = hashOf(previous, position, time, id, SCHEMA, type, data);
  return [position, time, id, SCHEMA, type, data, hash];
}

/**
 * The event that a row holds, once position, chain and content are found to be what was appended.
 *
 * Throws `CorruptLogError` where they are not, and `NewerSchemaError` when the row is intact but
 * only a later release can read it.
 */
export function recordedOf(row: Row, position: number, previous: string): RecordedEvent {
  const [found, storedTime, storedId, schema, storedType, json, hash] = row;
  if (found !== position) {
    throw new CorruptLogError(position, `no event here, the next found is at ${found}`);
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
    if (error instanceof NewerSchemaError || !(error instanceof Error)) throw error;
    throw new CorruptLogError(position, `the event cannot be read, ${error.message}`);
  }
}
