/**
 * Calls from outside, where types may not have been checked.
 *
 * @module
 */
import * as v from 'valibot';
import { RequestError } from './ledger-error.ts';
import { operations, text, type Call, type Operation } from './operations.ts';

type UnknownFields = Readonly<Record<string, unknown>>;

/**
 * The call that was given; keys that are no arguments of it are left out. Throws `RequestError` where
 * there is no such operation, and where an argument is missing or wrong, with its name.
 */
export function callFrom(given: unknown): Call {
  const { operation, ...rest } = Object(given) as UnknownFields;
  if (typeof operation !== 'string' || !Object.hasOwn(operations, operation)) {
    const known = Object.keys(operations).join(', ');
    throw new RequestError(`no operation '${String(operation)}'; there are ${known}`);
  }
  const schema = operations[operation as Operation];
  const known = Object.keys(rest).filter((key) => Object.hasOwn(schema.entries, key));
  const args = Object.fromEntries(known.map((key) => [key, rest[key]]));
  checkArguments(operation, schema, args);
  // Null is what a recording does not show; to have no driver is an argument.
  const unshown = known.find((key) => args[key] === null && key !== 'driver');
  if (unshown !== undefined) throw new RequestError(`${operation}: '${unshown}' is missing`);
  return { operation, ...args } as Call;
}

const start = v.strictObject({ comm: text, cgroup: v.nullable(text) });

/** Throws `RequestError` unless a process can be started so. */
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
