/**
 * Decodes and validates events. Every event passes through here on its way into a log and out of it.
 *
 * @module
 */
import * as v from 'valibot';
import { instantIn } from './iso-8601.ts';
import { LedgerError, type ErrorCode } from './ledger-error.ts';
import { quickTest, type QuickTest } from './quick-test.ts';
import { upcast } from './upcasters.ts';
import { eventTypes, SCHEMA, schemas, type LedgerEvent } from './vocabulary.ts';

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

const envelope = tested(
  v.object({
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
  }),
);

const dataShapes: ReadonlyMap<string, TestedSchema<unknown>> = new Map(
  eventTypes.map((type) => [type, tested(schemas[type])]),
);

/**
 * Decodes an event from parsed JSON, `{id, time, schema, type, data}`, and upcasts it to the current
 * schema. Other keys are ignored. Throws `DecodeError`, or `NewerSchemaError` for a newer schema.
 */
export function decode(value: unknown): LedgerEvent {
  return decodeWith(parseQuickly, value);
}

/**
 * Checks an event that a caller made, and returns a copy in canonical form. Throws `DecodeError`.
 */
export function validate(event: LedgerEvent): LedgerEvent {
  return decodeWith(parse, { ...event, schema: SCHEMA });
}

function decodeWith(parser: typeof parse, value: unknown): LedgerEvent {
  const { id, time, schema, type: given, data: stored } = parser(envelope, value, '');
  if (schema > SCHEMA) throw new NewerSchemaError(schema);
  const { type, data } = upcast({ type: given, data: stored }, schema);
  const shape = dataShapes.get(type);
  if (shape === undefined) throw new DecodeError('type', `'${type}' is not a known event type`);
  return { id, time: canonicalTime(time), type, data: parser(shape, data, 'data') } as LedgerEvent;
}

/** The spelling of all times that a log holds, on a day that every month has. */
const canonical = /^(?!0000)\d{4}-\d\d-(?:[01]\d|2[0-8])T\d\d:\d\d:\d\d\.\d{6}Z$/;

/** The instant in UTC with six decimals. All have this spelling, so text order is time order. */
function canonicalTime(time: string | null): string | null {
  if (time === null || canonical.test(time)) return time;
  const instant = instantIn(time);
  if (instant !== null) return instant;
  throw new DecodeError('time', `'${time}' is not an instant in the years 1 to 9999`);
}

/** A schema, and its quick test. */
interface TestedSchema<T> {
  readonly schema: v.GenericSchema<unknown, T>;
  readonly passes: QuickTest;
}

function tested<T>(schema: v.GenericSchema<unknown, T>): TestedSchema<T> {
  return { schema, passes: quickTest(schema) };
}

/** As `parse`, for a value that `JSON.parse` made; it may return the value itself. */
function parseQuickly<T>(shape: TestedSchema<T>, value: unknown, prefix: string): T {
  return shape.passes(value) ? (value as T) : parse(shape, value, prefix);
}

function parse<T>({ schema }: TestedSchema<T>, value: unknown, prefix: string): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = [prefix, v.getDotPath(issue) ?? ''].filter((part) => part !== '').join('.');
  throw new DecodeError(path, issue.message);
}
