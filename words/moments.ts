/**
 * Phrases for moments, positions and counts.
 *
 * @module
 */
import type { CutEnd, LogEnd, Moment, Position } from '../projections/shapes.ts';

/** `at position 41, 2026-11-22T12:03:00.000000Z`, `before the first event`. */
export function momentWords({ position, time }: Moment): string {
  return position === null ? 'before the first event' : `at ${placeWords(position, time)}`;
}

/** `position 41, 2026-11-22T12:03:00.000000Z`; only the position if the event has no time. */
export function placeWords(position: number, time: string | null): string {
  return time === null ? positionWords(position) : `${positionWords(position)}, ${time}`;
}

/** The first line of an answer: `At position 41:`. */
export function momentTitle(moment: Moment): string {
  const words = momentWords(moment);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}:`;
}

/** Says that the file which continues a log is missing, or was not read. */
export function cutWords({ after, sealed, next, isThere }: CutEnd): string {
  const lacks = isThere ? 'was not read' : 'is missing';
  const end = after < 0 ? 'its start' : positionWords(after);
  const files = `${sealed} is sealed, and the log goes on in ${next}, which ${lacks}`;
  return `${files}: nothing is known after ${end}`;
}

/** Where a log ends, in an answer about an instant after that. */
export function logEndsWords({ position, time }: LogEnd): string {
  return `the log ends at ${placeWords(position, time)}: nothing is known after that`;
}

/** `position 41`, `the start`. */
export function positionWords(position: Position): string {
  return position === null ? 'the start' : `position ${position}`;
}

/** How many entries of a list are left out: `and 3 more`, `and 3 more lines`. */
export function moreWords(count: number, noun?: string): string {
  return `and ${noun === undefined ? `${count} more` : counted(count, `more ${noun}`)}`;
}

/** `1 line`, `2 lines`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
