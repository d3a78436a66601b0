/**
 * Attempts of which the evidence does not show every argument, and the questions that they may have
 * put.
 *
 * A trace without the memory of the traced process shows a BIND, but not with which iommufd; log
 * lines of a program do not even show on which file. A call that passed is taken with a placeholder
 * for the argument. A refused call is judged with each argument that it may have had; it is
 * explained if all answers with the observed errno give the same cause.
 *
 * @module
 */
import type { Attempt, CallOf, Operation } from '../events/vocabulary.ts';
import type { Question } from './check.ts';
import type { Directory, Given } from './concerns.ts';
import { questionsOf, unshownArgument } from './operations.ts';

/** Arguments for which null is a value (no driver), and results, which may be missing. */
const mayBeNull = new Set(['driver', 'id', 'hwpt']);

/**
 * Whether the evidence shows every argument of an attempt. Which process made it is none: it counts
 * only for calls on a file, which is then not shown either.
 */
export function isComplete(attempt: Attempt): boolean {
  const shown = attempt as Readonly<Record<string, unknown>>;
  for (const key in shown) {
    if (shown[key] === null && key !== 'pid' && !mayBeNull.has(key)) return false;
  }
  return true;
}

/** Whether the evidence shows the file that an attempt operates on; true if it operates on none. */
export function isFileShown(attempt: Attempt): boolean {
  return !('fd' in attempt) || attempt.fd !== null;
}

/** The attempt as a call, with placeholders for what is not shown. */
export function completed<O extends Operation>(attempt: Extract<Attempt, { operation: O }>) {
  // The common case, and every event comes through here.
  const isOfSome = 'pid' in attempt && attempt.pid === null;
  if (!isOfSome && isComplete(attempt)) return attempt as CallOf<O>;
  const filled = Object.entries(attempt).map(([key, value]) => [
    key,
    mayBeNull.has(key) ? value : (value ?? unshownArgument(attempt.operation, key)),
  ]);
  return Object.fromEntries(filled) as CallOf<O>;
}

/** The questions that an attempt may have put, one for each kind of argument that it may have had. */
export function hypotheses(host: Directory, attempt: Attempt, given: Given = {}): Question[] {
  return questionsOf(host, attempt, completed(attempt), given);
}
