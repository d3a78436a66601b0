/**
 * Turns what a matcher has found into the answer that every runner takes.
 *
 * What is not known fails in every form. A runner negates a matcher by taking `pass` the other way
 * round, also inside of `expect.not.…`, so `pass` is then what `isNot` says.
 *
 * @module
 */
import { LedgerError } from '../events/ledger-error.ts';
import type { Tristate } from './patterns.ts';

/** The answer of a matcher. */
export interface MatcherAnswer {
  readonly pass: boolean;
  /** The whole story of the failure, in lines without colour. */
  readonly message: () => string;
  /** What runners may compare and show beside the message. */
  readonly actual: unknown;
  readonly expected: unknown;
}

/** An option of every matcher that can meet something unknown. */
export interface UnknownOption {
  /** `allow` judges by what was seen. By default a matcher fails, in every form. */
  readonly unknown?: 'allow' | 'fail' | undefined;
}

/** What a matcher has found out. */
export interface Judged {
  readonly holds: Tristate;
  readonly tell: (isNot: boolean) => string;
  readonly actual?: unknown;
  readonly expected?: unknown;
}

/**
 * The answer to a runner. Of `state`, which it hands to a matcher as `this`, only `isNot` is read: whether
 * the matcher is negated. What cannot be asked at all is not known.
 */
export function answered(state: unknown, judge: () => Judged): MatcherAnswer {
  const { holds, tell, actual, expected } = asking(judge);
  const isNot = typeof state === 'object' && state !== null && Reflect.get(state, 'isNot') === true;
  const pass = holds === 'not-known' ? isNot : holds === 'yes';
  return { pass, message: () => tell(isNot), actual, expected };
}

/** What cannot be judged, with the reason. */
export function unjudged(matcher: string, reason: string): Judged {
  return { holds: 'not-known', tell: () => `${matcher}: ${reason}` };
}

/** Whether unknown values are judged by what was seen. Throws `bad-request` for another option. */
export function allowsUnknown(options: UnknownOption | undefined): boolean {
  const { unknown = 'fail' } = options ?? {};
  if (unknown === 'allow' || unknown === 'fail') return unknown === 'allow';
  throw new LedgerError('bad-request', `unknown takes 'allow' or 'fail', not '${String(unknown)}'`);
}

function asking(judge: () => Judged): Judged {
  try {
    return judge();
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    return { holds: 'not-known', tell: () => error.message };
  }
}
