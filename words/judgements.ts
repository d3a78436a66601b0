/**
 * What rules and invariants say of a history, in words.
 *
 * @module
 */
import type { Verdict } from '../machines/other-profile.ts';
import { profiles, type Profile } from '../machines/profile.ts';
import type { Bisection, Replay } from '../projections/shapes.ts';
import { columns, indented, type Cell } from './columns.ts';
import { sentence, type History } from './events.ts';
import { printable } from './printable.ts';
import { plain, type Paint } from './tone.ts';

/** An operation without a check. */
export function neverRefusedWords(operation: string): string {
  return `${operation} is never refused`;
}

/** The profiles that a check is part of: `all`, or their names. */
export function profilesWords(only: readonly Profile[]): string {
  return only.length === profiles.length ? 'all' : only.join(' ');
}

/** How many attempts end otherwise by a profile. */
export function replayWords({ attempts, unknown, differences }: Replay, profile: string): string {
  const many = differences.length === 0 ? 'none' : String(differences.length);
  const ends = differences.length === 1 ? 'ends' : 'end';
  const unsaid = unknown === 0 ? '' : `; of ${unknown} nobody can say`;
  return `${many} of ${attempts} attempts ${ends} otherwise by ${profile}${unsaid}`;
}

/** How an attempt went, as a cell: `EBUSY group-already-open`, `passed`. */
export function recordedCell(recorded: Verdict): Cell {
  return verdictCell(recorded, 'passed');
}

/** How it would have gone by other rules, as a cell. */
export function otherCell(other: Verdict): Cell {
  return verdictCell(other, 'would pass');
}

function verdictCell({ errno, cause }: Verdict, passing: string): Cell {
  if (errno === null) return passing;
  return { text: `${errno} ${cause}`, tone: cause === 'unknown' ? 'unknown' : 'refusal' };
}

/** Events of a prefix that are shown; the fewest are seldom more. */
const SHOWN = 50;

/** Where an invariant was violated, or an expression held, and the fewest events that show it. */
export function bisectionWords(found: Bisection, history: History, paint: Paint = plain): string[] {
  const { invariant, position, detail, cause, prefix } = found;
  const last = prefix.slice(-SHOWN);
  const events = last.map((at) => [String(at), sentence(history, at)]);
  const more = prefix.length - last.length;
  const ruled =
    cause === null
      ? 'the rules have nothing against the event'
      : `the rules would have refused it: ${paint(cause, 'refusal')}`;
  return [
    ...(invariant === null
      ? [`it first holds at position ${position}: ${printable(detail)}`]
      : [`${invariant} is violated at position ${position}: ${printable(detail)}`, ruled]),
    'it takes no more than',
    ...(more > 0 ? [`  ${more} events, and then`] : []),
    ...indented(columns(events)),
  ];
}

/** Where an invariant was never violated; of an expression (null), where it never held. */
export function neverFoundWords(invariant: string | null): string {
  return invariant === null ? 'it never holds' : `${invariant} holds at every position`;
}
