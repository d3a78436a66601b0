/**
 * Moments as people name them: a position, `start`, `end`, or an instant.
 *
 * @module
 */
import { LedgerError } from '../events/ledger-error.ts';
import type { Position } from './shapes.ts';

/** A position, `start`, `end`, or an ISO 8601 instant (UTC where it names no offset). */
export type When = number | string;

/** Before the first event. */
export const START = -1;

/** A position as answers show it. */
export function positionOrNull(position: number): Position {
  return position === START ? null : position;
}

/** The events that a moment is one of; those before `first` are not here. */
interface EventRange {
  readonly first: number;
  readonly head: number;
  readonly isTimed: boolean;
  /** The last event whose time is at or before an instant. */
  lastUntil(instant: string): number | null;
}

/**
 * The position that a moment means: after that event, `START` before the first one.
 *
 * An instant is the last event at or before it. Throws `bad-when` for a position past the end, and
 * for what lies before the first event that is here.
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
        `position ${text} is not here: what is begins at position ${first}`,
      );
    }
    return position;
  }
  const instant = instantOf(text);
  if (!span.isTimed) {
    throw new LedgerError(
      'bad-when',
      `'${text}' cannot be placed: no event of this log has a time`,
    );
  }
  const position = span.lastUntil(instant);
  if (position === null && first > 0) {
    throw new LedgerError(
      'bad-when',
      `'${text}' is before position ${first}, with which begins what is here`,
    );
  }
  return position ?? START;
}

/** An instant in the spelling of the log: microseconds, UTC. Throws `bad-when`. */
function instantOf(text: string): string {
  const [, day, time = '00:00', fraction = '', offset = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?(Z|z|[+-]\d\d(?::?\d\d)?)?)?$/.exec(
      text,
    ) ?? [];
  const zone = offset
    .toUpperCase()
    .replace(/^([+-]\d\d):?(\d\d)?$/, (_, h, m = '00') => `${h}:${m}`);
  const instant = new Date(`${day}T${time}${zone}`);
  // A day that its month does not have would become one of the next.
  const noon = new Date(`${day}T12:00Z`);
  const isDay = !Number.isNaN(noon.getTime()) && noon.toISOString().slice(0, 10) === day;
  if (!isDay || Number.isNaN(instant.getTime())) {
    throw new LedgerError(
      'bad-when',
      `'${text}' is no position, 'start', 'end' or ISO 8601 instant`,
    );
  }
  return `${instant.toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
}
