/**
 * Events in and out of JSON. Nothing enters the log, and nothing leaves it, but through here.
 *
 * @module
 */
import * as v from 'valibot';
import { LedgerError, type ErrorCode } from './ledger-error.ts';
import { type RawEvent, upcast } from './upcasters.ts';
import { SCHEMA, schemas, type EventType, type Fact, type LedgerEvent } from './vocabulary.ts';

/** An event that is not one of ours: `path` is where (`data.fd`), `reason` why. */
export class DecodeError extends LedgerError {
  override readonly name = 'DecodeError';
  readonly path: string;
  readonly reason: string;
  constructor(path: string, reason: string, code: ErrorCode = 'bad-request') {
    super(code, path === '' ? reason : `${path}: ${reason}`);
    this.path = path;
    this.reason = reason;
  }
}

/** An event of a schema that only a later release knows. */
export class NewerSchemaError extends DecodeError {
  constructor(schema: number) {
    const reason = `${schema} is newer than ${SCHEMA}, the newest that this release reads`;
    super('schema', reason, 'newer-schema');
  }
}

/**
 * Ids that begin so are of events that did not happen: somebody has asked what would be if they had.
 * No log takes them, and no evidence may hold them.
 */
export const WHAT_IF = 'what-if:';

/** Text without control characters: it stands on a line of its own under the hash. */
const printable = /^\P{C}+$/u;

const envelope = v.object({
  id: v.pipe(
    v.string(),
    v.nonEmpty(),
    v.maxLength(200),
    v.regex(printable, 'not plain text'),
    v.check((id) => !id.startsWith(WHAT_IF), 'of a what-if, and so of what did not happen'),
  ),
  time: v.nullable(v.pipe(v.string(), v.isoTimestamp())),
  schema: v.pipe(v.number(), v.integer(), v.minValue(1)),
  type: v.string(),
  data: v.unknown(),
});

/**
 * An event from parsed JSON: `{id, time, schema, type, data}`; other keys are the log's own and are
 * not looked at. Throws `DecodeError`, or `NewerSchemaError` where the schema is ahead of this release.
 */
export function decode(value: unknown): LedgerEvent {
  const raw = parse(envelope, value, '');
  if (raw.schema > SCHEMA) throw new NewerSchemaError(raw.schema);
  const { type, data } = validate(upcast({ type: raw.type, data: raw.data }, raw.schema));
  return { id: raw.id, time: canonicalTime(raw.time), type, data } as LedgerEvent;
}

/** Type and data checked against the vocabulary. Throws `DecodeError`. */
function validate(raw: RawEvent): Fact {
  if (!Object.hasOwn(schemas, raw.type)) {
    throw new DecodeError('type', `'${raw.type}' is no event of this ledger`);
  }
  const data = parse<unknown>(schemas[raw.type as EventType], raw.data, 'data');
  return { type: raw.type, data } as Fact;
}

/** An instant in UTC on a day that every month has: most of them, and told without a `Date`. */
const plainInstant = /^(\d{4}-\d\d-(?:[01]\d|2[0-8])T\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/;

/** Instants are kept in UTC, in microseconds and in one spelling: their order is that of their text. */
function canonicalTime(time: string | null): string | null {
  if (time === null) return null;
  const [, second, digits = ''] = plainInstant.exec(time) ?? [];
  if (second !== undefined) return `${second}.${digits.padEnd(6, '0').slice(0, 6)}Z`;
  const instant = new Date(/(?:[zZ]|[+-]\d\d(?::?\d\d)?)$/.test(time) ? time : `${time}Z`);
  if (Number.isNaN(instant.getTime())) throw new DecodeError('time', `'${time}' is no instant`);
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? '';
  return `${instant.toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
}

function parse<T>(schema: v.GenericSchema<unknown, T>, value: unknown, prefix: string): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = [prefix, v.getDotPath(issue) ?? ''].filter((part) => part !== '').join('.');
  throw new DecodeError(path, issue.message);
}
