/**
 * Checks calls from callers outside the package, whose types no compiler may have checked.
 *
 * @module
 */
import * as v from 'valibot';
import { textGiven } from './given.ts';
import { RequestError } from './ledger-error.ts';
import { operations, text, type Call, type Operation } from './operations.ts';

type UnknownFields = Readonly<Record<string, unknown>>;

/**
 * Reads `{ operation, ...arguments }` as a call. Keys that are not arguments of the operation are
 * dropped. Throws `RequestError` for an unknown operation and for a missing or wrong argument.
 */
export function callFrom(given: unknown): Call {
  const { operation, ...rest } = Object(given) as UnknownFields;
  if (typeof operation !== 'string' || !Object.hasOwn(operations, operation)) {
    const known = Object.keys(operations).join(', ');
    throw new RequestError(`no operation '${textGiven(operation)}'; there are ${known}`);
  }
  const schema = operations[operation as Operation];
  const known = Object.keys(rest).filter((key) => Object.hasOwn(schema.entries, key));
  const args = Object.fromEntries(known.map((key) => [key, rest[key]]));
  checkArguments(operation, schema, args);
  // Null means "not shown by the evidence", except for `driver`, where it means "no driver".
  const unshown = known.find((key) => args[key] === null && key !== 'driver');
  if (unshown !== undefined) throw new RequestError(`${operation}: '${unshown}' is missing`);
  return { operation, ...args } as Call;
}

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
