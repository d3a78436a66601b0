/**
 * Calls without what no check looks at: the same for every process that makes them, and for every
 * number that a descriptor may have.
 *
 * @module
 */
import { operations } from '../events/operations.ts';
import type { Attempt } from '../events/vocabulary.ts';

/** The arguments of each operation that count, in a fixed order. */
const names = new Map(
  Object.entries(operations).map(([operation, { entries }]) => [
    operation,
    Object.keys(entries).filter((name) => name !== 'cloexec'),
  ]),
);
/** Arguments that stand for files, and the process that has them open. */
const descriptors = new Set(['pid', 'fd', 'iommufd', 'container', 'groups']);
/** The pid in calls that are the same for every process. */
const NOBODY = -1;

/** The call of an attempt; `isKept`: with 0 for every descriptor, as its files are known. */
export function plainCall(attempt: Attempt, isKept: boolean): Attempt {
  const call: Record<string, unknown> = { operation: attempt.operation };
  eachArgument(attempt, isKept, (name, value) => {
    call[name] = value;
  });
  return call as unknown as Attempt;
}

/** The same text for the same call. */
export function wordsOf(attempt: Attempt, isKept: boolean): string {
  let words: string = attempt.operation;
  eachArgument(attempt, isKept, (name, value) => {
    words += ` ${name} ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`;
  });
  return words;
}

function eachArgument(
  attempt: Attempt,
  isKept: boolean,
  tell: (name: string, value: unknown) => void,
): void {
  const shown = attempt as Readonly<Record<string, unknown>>;
  const isOfProcess = 'fd' in attempt || ('path' in attempt && attempt.path.startsWith('/proc/'));
  for (const name of names.get(attempt.operation) ?? []) {
    const value = shown[name];
    if (value === undefined) continue;
    if (isKept && descriptors.has(name) && value !== null) {
      tell(name, Array.isArray(value) ? value.map(() => 0) : 0);
    } else tell(name, name === 'pid' && !isOfProcess ? NOBODY : value);
  }
}
