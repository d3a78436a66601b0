/**
 * What is said of an answer to an operation that is not the one expected.
 *
 * @module
 */

import { textGiven } from '../events/given.ts';

/** Keys of an answer; the errno is null if the operation passed. */
type AnswerKeys = object & { readonly errno?: string | null };

/** `why` is the explanation of a refusal; null if the operation passed. */
export function unexpectedAnswerWords(
  operation: string,
  found: AnswerKeys,
  expected: AnswerKeys,
  why: string | null,
): string {
  const answered = new Map(Object.entries(found));
  const keys = Object.keys(expected);
  const ours = keys.map((key) => [key, answered.get(key)] as const);
  const lines = [
    `${operation}: expected ${saidOf(Object.entries(expected))}, but it answered ${saidOf(ours)}`,
  ];
  return [...lines, ...(why === null ? [] : [why])].join('\n');
}

function saidOf(entries: readonly (readonly [string, unknown])[]): string {
  return entries.map(([key, value]) => `${key} ${shownValue(key, value)}`).join(', ');
}

function shownValue(key: string, value: unknown): string {
  if (key === 'errno' && value === null) return 'null (it passes)';
  return value === undefined ? 'none' : textGiven(value);
}
