/**
 * Rows as events of EventStoreDB, and back.
 *
 * Type and data are those of the row, for whatever reads the server directly. The metadata has the rest
 * of the row.
 *
 * @module
 */
import { sha256 } from './hash.ts';
import type { Row } from './row.ts';
import { CorruptLogError } from './store.ts';

/** An event to append. */
export interface ProposedEvent {
  readonly id: string;
  readonly contentType: 'application/json';
  readonly type: string;
  readonly data: unknown;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** An event as a client reads it. */
export interface StoredEvent {
  readonly revision: bigint;
  readonly type: string;
  readonly isJson: boolean;
  readonly data: unknown;
  readonly metadata?: unknown;
}

/** The stream of a host: the server's own category projections take what is before the first `-`. */
export function streamOfHost(host: string): string {
  return `vfioHost-${host}`;
}

/** The stream that names the hosts: the server has no list of streams that can be read without `$all`. */
export const HOSTS_STREAM = 'vfioHosts';
const HOST_NAMED = 'host.named';

/** The event that names a host in `HOSTS_STREAM`. */
export function hostNamed(host: string): ProposedEvent {
  return {
    id: uuidOf(sha256(`${HOSTS_STREAM}\n${host}`)),
    contentType: 'application/json',
    type: HOST_NAMED,
    data: { host },
    metadata: {},
  };
}

/** The host that an event of `HOSTS_STREAM` names. Throws `CorruptLogError` if it names none. */
export function hostOf({ revision, type, data }: StoredEvent): string {
  const host = isObject(data) ? data['host'] : undefined;
  if (type === HOST_NAMED && typeof host === 'string') return host;
  throw new CorruptLogError(null, `event ${revision} of stream ${HOSTS_STREAM} names no host`);
}

/**
 * The event of a row. Its id comes from the hash of the row, which covers the row's own id: so the server
 * takes a repeated append for the same one only if all of it is the same.
 */
export function eventOf([position, time, id, schema, type, json, hash]: Row): ProposedEvent {
  const data: unknown = parsed(json);
  // The client writes the data as JSON itself, and might write this text in another way.
  const text = JSON.stringify(data) === json ? {} : { text: json };
  return {
    id: uuidOf(hash),
    contentType: 'application/json',
    type,
    data: data ?? null,
    metadata: { position, time, id, schema, hash, ...text },
  };
}

/** The row of an event. Throws `CorruptLogError` if it is none, or is the row of another position. */
export function rowOfEvent({ revision, type, isJson, data, metadata }: StoredEvent): Row {
  if (isJson && isObject(metadata)) {
    const { position, time, id, schema, hash, text } = metadata;
    const json = JSON.stringify(data);
    const isText = typeof text === 'string' && JSON.stringify(parsed(text) ?? null) === json;
    if (
      position === Number(revision) &&
      (time === null || typeof time === 'string') &&
      typeof id === 'string' &&
      isCount(schema) &&
      typeof hash === 'string' &&
      (isText || text === undefined)
    ) {
      return [position, time, id, schema, type, isText ? text : json, hash];
    }
  }
  throw new CorruptLogError(Number(revision), 'what the server has here is no event of a log');
}

/** A UUID of version 8, made from the first digits of a SHA-256 in hex. */
function uuidOf(hash: string): string {
  const digits = hash.padEnd(32, '0');
  const variant = '89ab'[Number.parseInt(digits.charAt(16), 16) & 3] ?? '8';
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join('-');
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
