/**
 * Options of the verbs that start a tracer.
 *
 * @module
 */
import { RequestError } from '../ledger.ts';

/** The value of `--with`: undefined if it is left out. Throws `bad-request` for any other name. */
export function tracerNamed<const Name extends string>(
  name: string | undefined,
  names: readonly Name[],
): Name | undefined {
  const known = names.find((each) => each === name);
  if (name === undefined || known !== undefined) return known;
  throw new RequestError(`--with takes ${names.join(' or ')}, not '${name}'`);
}

/** The seconds that an option names, such as `1.5`, in milliseconds. Throws `bad-request`. */
export function millisecondsOf(option: string, text: string): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  throw new RequestError(`--${option} takes seconds, not '${text}'`);
}
