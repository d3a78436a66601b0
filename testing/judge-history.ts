/**
 * Judges whole histories: their invariants, their refusals, and what other rules would have answered.
 *
 * @module
 */
import { isCause } from '../machines/causes.ts';
import type { Profile } from '../machines/profile.ts';
import { nearestClause } from '../events/nearest.ts';
import type { InvariantName } from '../projections/audit/invariants.ts';
import type { RefusedCall } from '../projections/activity.ts';
import type { Coverage } from '../projections/coverage.ts';
import type { Line } from '../words/columns.ts';
import {
  differenceLines,
  expectedOf,
  expectedRefusal,
  gotNone,
  historyRange,
  refusedRows,
  titleWords,
  unknownReasons,
  violationLines,
} from '../words/failures.ts';
import { invariantWords } from '../words/invariants.ts';
import { whyWords } from '../words/why.ts';
import {
  anyOf,
  isRefusal,
  keysNamed,
  noRefusalPattern,
  type RefusalPattern,
  type Tristate,
} from './patterns.ts';
import { storyOf } from '../ledger/story.ts';
import { isHistory, type AskedPast } from './subjects.ts';
import { allowsUnknown, unjudged, type Judged, type UnknownOption } from './verdict.ts';

const HISTORY = 'it takes a ledger, which stands for its whole history, or a what-if';
/** The last refusals that a failure lists. */
const MOST_REFUSALS = 5;

interface HistoryFinding {
  readonly matcher: string;
  readonly history: AskedPast;
  readonly holds: Tristate;
  readonly reason: string | null;
  readonly expected: (isNot: boolean) => string;
  readonly got: readonly Line[];
  readonly facts: () => readonly Line[];
  /** Position of the event that matters; null for the last one. */
  readonly matters: number | null;
  /** The verb that asks more; its last argument is a position where `at` is true. */
  readonly ask: readonly string[];
}

/** Whether no event violates an invariant. */
export function judgeInvariant(
  history: AskedPast,
  invariant: InvariantName,
  options: UnknownOption | undefined,
): Judged {
  const matcher = 'toSatisfyInvariant';
  if (!isHistory(history)) return unjudged(matcher, HISTORY);
  const isAllowed = allowsUnknown(options);
  const found = history.bisect({ invariant });
  const reason = isAllowed ? null : uncovered(found?.coverage ?? history.coverage());
  const judged = told({
    matcher,
    history,
    holds: reason === null ? (found === null ? 'yes' : 'no') : 'not-known',
    reason,
    expected: (isNot) => expectedOf.invariant(invariantWords(invariant), isNot),
    got: [found === null ? gotNone.violation : found.detail],
    facts: () => (found === null ? [] : violationLines(found)),
    matters: found?.position ?? null,
    ask: ['bisect', '--invariant', invariant],
  });
  return { ...judged, actual: found?.detail ?? null, expected: null };
}

/** Whether a call was refused as expected. What a program concluded is no refusal of the kernel. */
export function judgeRefused(
  history: AskedPast,
  pattern: RefusalPattern,
  options: UnknownOption | undefined,
): Judged {
  const matcher = 'toHaveRefused';
  if (!isHistory(history)) return unjudged(matcher, HISTORY);
  const wrong = noRefusalPattern(pattern) ?? noSuchName(history, pattern);
  if (wrong !== null) return unjudged(matcher, wrong);
  const isAllowed = allowsUnknown(options);
  const { refused } = history.between('start', 'end');
  const calls = refused.filter((call) => !isConcluded(history, call));
  const answers = calls.map((call) => isRefusal(call, pattern));
  const covered = isAllowed ? null : uncovered(history.coverage());
  const seen = anyOf(answers);
  const reason = covered ?? (seen === 'not-known' && !isAllowed ? unknownReasons.refusal : null);
  // The refusal that matches is shown, or those that came last.
  const found = calls[answers.indexOf(seen === 'no' ? 'yes' : seen)];
  const near = found ?? nearest(calls, pattern);
  const shown = found === undefined ? calls.slice(-MOST_REFUSALS) : [found];
  const judged = told({
    matcher,
    history,
    holds: reason !== null ? 'not-known' : seen === 'yes' ? 'yes' : 'no',
    reason,
    expected: (isNot) => expectedRefusal(pattern, isNot),
    got: refusedRows(shown, found === undefined ? calls.length : 1),
    facts: () => (near === undefined ? [] : whyWords(history.why(near.position), history)),
    matters: near?.position ?? null,
    ask: near === undefined ? ['log', '--refused'] : ['why', String(near.position)],
  });
  return { ...judged, actual: shown.map(inShort), expected: pattern };
}

/** Whether every attempt would end by other rules as it was recorded. */
export function judgeConformance(
  history: AskedPast,
  by: { readonly profile: Profile },
  options: UnknownOption | undefined,
): Judged {
  const matcher = 'toConformTo';
  if (!isHistory(history)) return unjudged(matcher, HISTORY);
  const isAllowed = allowsUnknown(options);
  const { differences, unknown } = history.replayed(by);
  const { profile } = by;
  const [first] = differences;
  const unjudgedCount = unknown > 0 ? unknownReasons.attempts(unknown) : null;
  const reason = isAllowed ? null : (uncovered(history.coverage()) ?? unjudgedCount);
  const said = first === undefined ? null : differenceLines(first, profile, differences.length);
  const judged = told({
    matcher,
    history,
    holds: reason !== null ? 'not-known' : first === undefined ? 'yes' : 'no',
    reason,
    expected: (isNot) => (isNot ? expectedOf.conformance(profile) : (said?.expected ?? profile)),
    got: said?.got ?? [gotNone.difference],
    facts: () => [],
    matters: first?.position ?? null,
    ask: ['replay', '--profile', profile],
  });
  return { ...judged, actual: differences.map(({ position }) => position), expected: [] };
}

function told(finding: HistoryFinding): Judged {
  const { matcher, history, holds, reason, expected, got, facts, matters, ask } = finding;
  const tell = (isNot: boolean) => {
    const { first, length } = history;
    const last = first + length - 1;
    return storyOf(
      {
        title: titleWords(matcher, isNot, historyRange(first, last)),
        expected: expected(isNot),
        reason,
        got,
        facts: facts(),
        remedy: [],
      },
      {
        past: history,
        matters: matters ?? (length === 0 ? null : last),
        subject: null,
        ask: () => ask,
      },
    );
  };
  return { holds, tell };
}

/** Why not everything in a history was seen; null if it was. */
function uncovered(coverage: Coverage): string | null {
  return coverage.unknown.length === 0 ? null : unknownReasons.coverage(coverage);
}

/** Whether a program concluded that the kernel would refuse: then no call was made. */
function isConcluded(history: AskedPast, { position, errno }: RefusedCall): boolean {
  const event = history.event(position);
  return errno === null && event?.type === 'operation.refused' && event.data.cause !== undefined;
}

/** Why a pattern names an operation or a cause that there is not; null if it does not. */
function noSuchName(history: AskedPast, pattern: RefusalPattern): string | null {
  const { operation, cause } = keysNamed(pattern);
  const { operations } = history;
  if (typeof operation === 'string' && !operations.includes(operation)) {
    return `there is no operation '${operation}'${nearestClause(operation, operations)}`;
  }
  if (typeof cause !== 'string' || cause === 'unknown' || isCause(cause)) return null;
  return `there is no cause '${String(cause)}'`;
}

/** The last refusal of the operation that was asked for, or else the last one. */
function nearest(calls: readonly RefusedCall[], pattern: RefusalPattern): RefusedCall | undefined {
  const { operation } = keysNamed(pattern);
  return calls.findLast((call) => call.operation === operation) ?? calls.at(-1);
}

function inShort({ operation, errno, cause, pid, comm }: RefusedCall): object {
  return { operation, errno, cause, pid, comm };
}
