/**
 * Parses moments: a position, `start`, `end`, or an instant.
 *
 * @module
 */
import { LedgerError } from '../events/ledger-error.ts';
import type { Position } from './shapes.ts';

/**
 * A moment: a position (the moment after that event), `start` (before the first event), `end`, or
 * an ISO 8601 instant (UTC if it has no offset; the moment after the last event at or before it).
 */
export type When = number | string;

/** The position of `start`. */
export const START = -1;

/** A position in an answer: null for `start`. */
export function positionOrNull(position: number): Position {
  return position === START ? null : position;
}

interface EventRange {
  /** Position of the first event; above 0 if older events were removed. */
  readonly first: number;
  readonly head: number;
  readonly isTimed: boolean;
  /** The last event whose time is at or before an instant. */
  lastUntil(instant: string): number | null;
}

/**
 * The position that a moment means: the moment after that event, or `START`. Throws `bad-when` for
 * a position past the end, for a moment before the first event if older events were removed, for an
 * instant in a log without times, and for other text.
 */
export function positionOf(when: When, span: EventRange): number {
  const { first, head } = span;
  if (when === 'start') return START;
  if (when === 'end') return head;
  const text = String(when);
  if (/^\d+$/.test(text)) {
    const position = Number(text);
    if (position > head) {
      const end = head === START ? 'the log is empty' : `the log ends at position ${head}`;
      throw new LedgerError('bad-when', `position ${text} is past the end: ${end}`);
    }
    if (position < first) {
      throw new LedgerError(
        'bad-when',
        `position ${text} is not in this log: its first event is at position ${first}`,
      );
    }
    return position;
  }
  const instant = instantOf(text);
  if (!span.isTimed) {
    throw new LedgerError(
      'bad-when',
      `'${text}' cannot be mapped to a position: no event of this log has a time`,
    );
  }
  const position = span.lastUntil(instant);
  if (position === null && first > 0) {
    throw new LedgerError(
      'bad-when',
      `'${text}' is before this log: its first event is at position ${first}`,
    );
  }
  return position ?? START;
}

/**
 * Converts an instant to the format of the log: ISO 8601 in microseconds, UTC. Throws `bad-when`.
 */
function instantOf(text: string): string {
  const [, day, time = '00:00', fraction = '', offset = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?(Z|z|[+-]\d\d(?::?\d\d)?)?)?$/.exec(
      text,
    ) ?? [];
  const zone = offset
    .toUpperCase()
    .replace(/^([+-]\d\d):?(\d\d)?$/, (_, h, m = '00') => `${h}:${m}`);
  const instant = new Date(`${day}T${time}${zone}`);
  // `Date` would turn 31 April into 1 May.
  const noon = new Date(`${day}T12:00Z`);
  const isDay = !Number.isNaN(noon.getTime()) && noon.toISOString().slice(0, 10) === day;
  if (!isDay || Number.isNaN(instant.getTime())) {
    throw new LedgerError(
      'bad-when',
      `'${text}' is not a position, 'start', 'end' or an ISO 8601 instant`,
    );
  }
  return `${instant.toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
}
