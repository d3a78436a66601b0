/**
 * Arguments as callers without types may give them: what is missing, or is something else, is a bad
 * request that says so in a sentence.
 *
 * @module
 */
import { RequestError } from './ledger-error.ts';

/** The text of whatever was given; never throws. */
export function textGiven(given: unknown): string {
  try {
    const text = String(given);
    return text.startsWith('[object ') ? 'an object' : text;
  } catch {
    // An object without a prototype has no text.
    return 'an object';
  }
}

/** An argument that is an object. Throws `bad-request`: `by takes WHAT, not 'GIVEN'`. */
export function objectGiven<T extends object>(by: string, what: string, given: T): T {
  if (typeof given === 'object' && given !== null) return given;
  throw new RequestError(`${by} takes ${what}, not '${textGiven(given)}'`);
}

/** The options of a method. Throws `bad-request`. */
export function optionsGiven<T extends object>(method: string, given: T): T {
  return objectGiven(method, 'its options as an object', given);
}

/** An argument that is an array. Throws `bad-request`. */
export function arrayGiven<T>(by: string, what: string, given: readonly T[]): readonly T[] {
  if (Array.isArray(given)) return given;
  throw new RequestError(`${by} takes ${what}, not '${textGiven(given)}'`);
}

/** The option `by` of a method: pids. Throws `bad-request`. */
export function pidsGiven(method: string, given: readonly number[]): ReadonlySet<number> {
  const isPid = (pid: unknown) => Number.isInteger(pid) && Number(pid) >= 0;
  if (Array.isArray(given) && given.every(isPid)) return new Set(given);
  throw new RequestError(`${method}: by takes an array of pids, not '${textGiven(given)}'`);
}

/** An argument that is text. Throws `bad-request`. */
export function stringGiven(by: string, what: string, given: string): string {
  if (typeof given === 'string') return given;
  throw new RequestError(`${by} takes ${what}, not '${textGiven(given)}'`);
}
