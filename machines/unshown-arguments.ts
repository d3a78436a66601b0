/**
 * Attempts of which the evidence does not show every argument, and what they may have been.
 *
 * A trace without the memory of the traced process shows that a BIND was asked for, and not with which
 * iommufd; words of a program do not even say on which file. What passed is taken with the argument
 * left open; what was refused is put to the rules with each argument that it may have had, and
 * explained where all that agree with the errno agree.
 *
 * @module
 */
import type { Attempt, Call, CallOf, Operation } from '../events/vocabulary.ts';
import type { Question } from './check.ts';
import type { Directory } from './concerns.ts';
import { questionsOf, unshownArgument } from './operations.ts';

/** To have no driver is an argument; the ids that come out are none. */
const mayBeNull = new Set(['driver', 'id', 'hwpt']);

/** Whether the evidence shows everything that was asked with. */
export function isComplete(attempt: Attempt): attempt is Call {
  const shown = attempt as Readonly<Record<string, unknown>>;
  for (const key in shown) if (shown[key] === null && !mayBeNull.has(key)) return false;
  return true;
}

/** Whether the evidence shows which file an attempt was made on, or it is made on none. */
export function isFileShown(attempt: Attempt): boolean {
  return !('fd' in attempt) || attempt.fd !== null;
}

/** The attempt as a call, with what is not shown left open. */
export function completed<O extends Operation>(attempt: Extract<Attempt, { operation: O }>) {
  // Most of them by far; every event comes through here.
  if (isComplete(attempt)) return attempt as CallOf<O>;
  const filled = Object.entries(attempt).map(([key, value]) => [
    key,
    mayBeNull.has(key) ? value : (value ?? unshownArgument(attempt.operation, key)),
  ]);
  return Object.fromEntries(filled) as CallOf<O>;
}

/** The questions that an attempt may have put, one for each kind of argument that it may have had. */
export function hypotheses(host: Directory, attempt: Attempt): Question[] {
  return questionsOf(host, attempt, completed(attempt));
}
