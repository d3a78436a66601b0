/**
 * Checks the numbers that the callers of the arbitraries give.
 *
 * @module
 */
import { textGiven } from '../events/given.ts';
import { RequestError } from '../events/ledger-error.ts';

/** An integer from `min` to `max`. Throws `bad-request`. */
export function integerIn(what: string, given: number, min: number, max: number): number {
  if (Number.isInteger(given) && given >= min && given <= max) return given;
  throw new RequestError(`${what} is from ${min} to ${max}, not ${textGiven(given)}`);
}
