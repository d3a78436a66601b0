/**
 * Decodes and validates events. Every event passes through here on its way into a log and out of it.
 *
 * @module
 */
import * as v from 'valibot';
import { LedgerError, type ErrorCode } from './ledger-error.ts';
import { type RawEvent, upcast } from './upcasters.ts';
import { SCHEMA, schemas, type EventType, type Fact, type LedgerEvent } from './vocabulary.ts';

/** A value is not a valid event. `path` names the key (`data.fd`), `reason` says what is wrong. */
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

/** The event was written in a schema newer than this release. */
export class NewerSchemaError extends DecodeError {
  constructor(schema: number) {
    const reason = `${schema} is newer than ${SCHEMA}, the newest that this release reads`;
    super('schema', reason, 'newer-schema');
  }
}

/**
 * The prefix of the ids of what-if events, which did not happen. `decode` rejects such ids, so no log
 * and no evidence can hold them.
 */
export const WHAT_IF = 'what-if:';

/** Text without control characters: the hash covers it as one line. */
const printable = /^\P{C}+$/u;

const envelope = v.object({
  id: v.pipe(
    v.string(),
    v.nonEmpty(),
    v.maxLength(200),
    v.regex(printable, 'not plain text'),
    v.check((id) => !id.startsWith(WHAT_IF), 'belongs to a what-if event, which did not happen'),
  ),
  time: v.nullable(v.pipe(v.string(), v.isoTimestamp())),
  schema: v.pipe(v.number(), v.integer(), v.minValue(1)),
  type: v.string(),
  data: v.unknown(),
});

/**
 * Decodes an event from parsed JSON, `{id, time, schema, type, data}`, and upcasts it to the current
 * schema. Other keys are ignored. Throws `DecodeError`, or `NewerSchemaError` for a newer schema.
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
    throw new DecodeError('type', `'${raw.type}' is not a known event type`);
  }
  const data = parse<unknown>(schemas[raw.type as EventType], raw.data, 'data');
  return { type: raw.type, data } as Fact;
}

/** An instant in UTC on a day that every month has. Most are such, and need no `Date`. */
const plainInstant = /^(\d{4}-\d\d-(?:[01]\d|2[0-8])T\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/;

/** The instant in UTC with six decimals. All have this spelling, so text order is time order. */
function canonicalTime(time: string | null): string | null {
  if (time === null) return null;
  const [, second, digits = ''] = plainInstant.exec(time) ?? [];
  if (second !== undefined) return `${second}.${digits.padEnd(6, '0').slice(0, 6)}Z`;
  const instant = new Date(/(?:[zZ]|[+-]\d\d(?::?\d\d)?)$/.test(time) ? time : `${time}Z`);
  if (Number.isNaN(instant.getTime())) throw new DecodeError('time', `'${time}' is not an instant`);
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
