/**
 * An answer to an operation in a failure: what was expected of it, and what came.
 *
 * @module
 */
import { textGiven } from '../events/given.ts';

/** Keys of an answer; the errno is null if the operation passed. */
type AnswerKeys = object & { readonly errno?: string | null };

/** The keys that are expected: `errno EINVAL, cause device-open-elsewhere`. */
export function expectedAnswer(expected: AnswerKeys): string {
  return saidOf(Object.entries(expected));
}

/** The same keys of the answer that came. */
export function gotAnswer(found: AnswerKeys, expected: AnswerKeys): string {
  const answered = new Map(Object.entries(found));
  return saidOf(Object.keys(expected).map((key) => [key, answered.get(key)]));
}

function saidOf(entries: readonly (readonly [string, unknown])[]): string {
  return entries.map(([key, value]) => `${key} ${shownValue(key, value)}`).join(', ');
}

function shownValue(key: string, value: unknown): string {
  if (key === 'errno' && value === null) return 'null (it passes)';
  return value === undefined ? 'none' : textGiven(value);
}
