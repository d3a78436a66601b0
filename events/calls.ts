/**
 * Checks calls from callers outside the package, whose types no compiler may have checked.
 *
 * @module
 */
import * as v from 'valibot';
import { textGiven } from './given.ts';
import { RequestError } from './ledger-error.ts';
import { quickTest, type QuickTest } from './quick-test.ts';
import { operations, text, type Call, type Operation } from './operations.ts';

type UnknownFields = Readonly<Record<string, unknown>>;

/**
 * Reads `{ operation, ...arguments }` as a call. Keys that are not arguments of the operation are
 * dropped. Throws `RequestError` for an unknown operation and for a missing or wrong argument.
 */
export function callFrom(given: unknown): Call {
  const fields = Object(given) as UnknownFields;
  const { operation } = fields;
  if (typeof operation !== 'string' || !Object.hasOwn(operations, operation)) {
    const known = Object.keys(operations).join(', ');
    throw new RequestError(`no operation '${textGiven(operation)}'; there are ${known}`);
  }
  const { schema, tests, required } = shapes[operation as Operation];
  const call: Record<string, unknown> = { operation };
  let [isRight, unshown]: [boolean, string | null] = [true, null];
  for (const key of Object.keys(fields)) {
    const test = tests.get(key);
    if (test === undefined) continue;
    const value = (call[key] = fields[key]);
    // A quick test passes over the holes of an array.
    isRight &&= !Array.isArray(value) && test(value);
    // Null means "not shown by the evidence", except for `driver`, where it means "no driver".
    if (value === null && key !== 'driver') unshown ??= key;
  }
  if (!isRight || required.some((key) => !(key in call))) {
    const { operation: _, ...args } = call;
    checkArguments(operation, schema, args);
  }
  if (unshown !== null) throw new RequestError(`${operation}: '${unshown}' is missing`);
  return call as Call;
}

/** The arguments of an operation: their schema, the quick test of each, those that have to be there. */
interface CallShape {
  readonly schema: v.GenericSchema;
  readonly tests: ReadonlyMap<string, QuickTest>;
  readonly required: readonly string[];
}

const shapes = Object.fromEntries(
  Object.entries(operations).map(([operation, schema]) => {
    const entries = Object.entries<v.GenericSchema>(schema.entries);
    const tests = new Map(entries.map(([key, entry]) => [key, quickTest(entry)]));
    const required = entries.filter(([, { type }]) => type !== 'optional').map(([key]) => key);
    return [operation, { schema, tests, required }];
  }),
) as unknown as Readonly<Record<Operation, CallShape>>;

const start = v.strictObject({ comm: text, cgroup: v.nullable(text) });

/** Checks `{ comm, cgroup }` of a process to be started. Throws `RequestError`. */
export function checkStart(given: UnknownFields): void {
  checkArguments('start', start, given);
}

function checkArguments(name: string, schema: v.GenericSchema, given: UnknownFields): void {
  const { issues } = v.safeParse(schema, given, { abortEarly: true });
  if (issues === undefined) return;
  const key = String(issues[0].path?.[0]?.key);
  const value = given[key];
  if (value === undefined) throw new RequestError(`${name}: '${key}' is missing`);
  throw new RequestError(`${name}: '${key}' cannot be ${shown(value)}`);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'number' || value === null ? String(value) : `this ${typeof value}`;
}
