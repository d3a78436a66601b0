/**
 * Sentences about what rules and invariants say of a log: `replay`, `bisect` and `rules`.
 *
 * @module
 */
import type { Verdict } from '../machines/other-profile.ts';
import { profiles, type Profile } from '../machines/profile.ts';
import type { Coverage } from '../projections/coverage.ts';
import type { Replay } from '../projections/replay.ts';
import type { Bisection } from '../projections/shapes.ts';
import { columns, indented, type Cell, type Line } from './columns.ts';
import { noneWords, noWords } from './coverage.ts';
import { sentence, type History } from './events.ts';

/** Says that an operation has no checks. */
export function neverRefusedWords(operation: string): string {
  return `${operation} is never refused`;
}

/** The profiles that a check is part of: `all`, or their names. */
export function profilesWords(only: readonly Profile[]): string {
  return only.length === profiles.length ? 'all' : only.join(' ');
}

/** Counts the attempts that would end differently by a profile. */
export function replayWords(
  { attempts, unknown, differences }: Replay,
  profile: string,
  coverage: Coverage,
): string {
  const many = differences.length === 0 ? noWords(coverage) : String(differences.length);
  const unsaid = unknown === 0 ? '' : `; ${unknown} cannot be judged`;
  return `${many} of ${attempts} attempts would end differently by ${profile}${unsaid}`;
}

/** How an attempt ended, as a cell: `EBUSY group-already-open`, `passed`. */
export function recordedCell(recorded: Verdict): Cell {
  return verdictCell(recorded, 'passed');
}

/** How an attempt would end by other rules, as a cell. */
export function otherCell(other: Verdict): Cell {
  return verdictCell(other, other.dead ? DEADLY : 'would pass');
}

const DEADLY: Cell = { text: 'the kernel would die', tone: 'refusal' };

function verdictCell({ errno, cause }: Verdict, passing: Cell): Cell {
  if (errno === null) return passing;
  return { text: `${errno} ${cause}`, tone: cause === 'unknown' ? 'unknown' : 'refusal' };
}

/** The longest prefix that is shown whole; prefixes are seldom longer. */
const SHOWN = 50;

/** Lines: where an invariant is violated or an expression holds, and the fewest events. */
export function bisectionWords(found: Bisection, history: History): Line[] {
  const { invariant, position, detail, cause, prefix } = found;
  const last = prefix.slice(-SHOWN);
  const events = last.map((at) => [String(at), sentence(history, at)]);
  const more = prefix.length - last.length;
  const ruled: Line =
    cause === null
      ? 'the rules allow the event'
      : ['the rules would have refused the event: ', { text: cause, tone: 'refusal' }];
  return [
    ...(invariant === null
      ? [`it first holds at position ${position}: ${detail}`]
      : [`${invariant} is violated at position ${position}: ${detail}`, ruled]),
    'the fewest events that show it:',
    ...(more > 0 ? [`  ${more} earlier events, then`] : []),
    ...indented(columns(events)),
  ];
}

/** Says that an invariant is never violated or, with null, that an expression never holds. */
export function neverFoundWords(invariant: string | null, coverage: Coverage): string {
  if (invariant === null) return noneWords(coverage, 'it never holds', 'it was not seen to hold');
  const never = `${invariant} holds at every position`;
  return noneWords(coverage, never, `${invariant} was not seen to be violated`);
}
