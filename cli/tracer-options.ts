/**
 * Options of the verbs that start a tracer.
 *
 * @module
 */
import { RequestError } from '../ledger.ts';

/** One of the names that an option takes: undefined if it is left out. Throws `bad-request` for another. */
export function choiceOf<const Name extends string>(
  option: string,
  given: string | undefined,
  names: readonly Name[],
): Name | undefined {
  const known = names.find((name) => name === given);
  if (given === undefined || known !== undefined) return known;
  throw new RequestError(`--${option} takes ${names.join(' or ')}, not '${given}'`);
}

/** The seconds that an option names, such as `1.5`, in milliseconds. Throws `bad-request`. */
export function millisecondsOf(option: string, text: string): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  throw new RequestError(`--${option} takes seconds, not '${text}'`);
}
