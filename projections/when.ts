/**
 * Moments that questions name: a position, `start`, `end`, or an instant.
 *
 * @module
 */
import { textGiven } from '../events/given.ts';
import { instantNamed } from '../events/instant-words.ts';
import { LedgerError, RequestError } from '../events/ledger-error.ts';
import type { LogEnd, MissingFile, Position } from './shapes.ts';

/**
 * A moment: a position (the moment after that event); `start` (before the first event); `end`; or an
 * instant: ISO 8601 (UTC if it has no offset), `now`, a time before now (`-90s`, `-10m`, `-2h`,
 * `-3d`), or a time of day (`HH:MM`, `HH:MM:SS`, UTC) on the day of the log's last event.
 *
 * An instant means the moment after the last timed event at or before it. If no later event has a
 * time, it means `end`.
 */
export type When = number | string;

/** The position of `start`. */
export const START = -1;

/** A position in an answer: null for `start`. */
export function positionOrNull(position: number): Position {
  return position === START ? null : position;
}

/** A moment that was looked up in a log. */
export interface FoundMoment {
  /** The position that it means; `START` before the first event. */
  readonly position: number;
  /** The instant that it names; null for a position, `start` and `end`. */
  readonly instant: string | null;
  /** The end of the log, if the moment is after it: nothing is known there; else null. */
  readonly logEnds: LogEnd | null;
}

/** What moments are looked up in. */
interface TimedEvents {
  /** Position of the first event; above 0 if older events were removed. */
  readonly first: number;
  readonly head: number;
  /** The file that holds later events; null if there is none. With one, `end` is after `head`, too. */
  readonly missing: MissingFile | null;
  /** The last event whose time is at or before an instant. */
  lastUntil(instant: string): number | null;
  timeAt(position: number): string | null;
}

/**
 * Looks up a moment. Throws `bad-when` for a position past the end, for a moment before the first
 * event if older events were removed, for an instant in a log without times, and for other text.
 */
export function findMoment(when: When, log: TimedEvents, now: () => Date): FoundMoment {
  if (when === 'start') return { position: START, instant: null, logEnds: null };
  if (when === 'end') return { position: log.head, instant: null, logEnds: cutEnd(log) };
  const text = textGiven(when);
  if (/^\d+$/.test(text)) {
    return { position: checkedPosition(Number(text), text, log), instant: null, logEnds: null };
  }
  return momentAt(text, log, now);
}

/**
 * Looks up the two ends of a range. Throws `bad-when` as `findMoment`, and `bad-request` if `from` is
 * after `to`.
 */
export function findRange(
  from: When,
  to: When,
  log: TimedEvents,
  now: () => Date,
): { readonly from: FoundMoment; readonly to: FoundMoment } {
  let present: Date | null = null;
  const once = (): Date => (present ??= now());
  const found = { from: findMoment(from, log, once), to: findMoment(to, log, once) };
  const isAfter = found.from.position > found.to.position || isLater(found.from, found.to);
  if (isAfter) throw new RequestError(`${textGiven(from)} is after ${textGiven(to)}`);
  return found;
}

function isLater(one: FoundMoment, other: FoundMoment): boolean {
  return one.instant !== null && other.instant !== null && one.instant > other.instant;
}

function checkedPosition(position: number, text: string, { first, head }: TimedEvents): number {
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

function momentAt(text: string, log: TimedEvents, now: () => Date): FoundMoment {
  const { first, head } = log;
  const last = lastTimed(log);
  const day = (): string => (last ?? withoutTimes(text)).time.slice(0, 10);
  const instant = instantNamed(text, { now, day });
  if (last === null) return withoutTimes(text);
  const position = log.lastUntil(instant);
  if (position === null && first > 0) {
    throw new LedgerError(
      'bad-when',
      `'${text}' is before this log: its first event is at position ${first}`,
    );
  }
  if (position !== last.position) return { position: position ?? START, instant, logEnds: null };
  const logEnds = instant > last.time ? { position: head, time: last.time } : cutEnd(log);
  return { position: head, instant, logEnds };
}

/** Where a log ends whose later events are missing; null for any other, and for one without events. */
function cutEnd(log: TimedEvents): LogEnd | null {
  const { head, missing } = log;
  if (missing === null || head === START) return null;
  return { position: head, time: lastTimed(log)?.time ?? null };
}

/** The time of the first event that has one; null if none has. */
export function firstTimed(log: TimedEvents): string | null {
  for (let position = log.first; position <= log.head; position++) {
    const time = log.timeAt(position);
    if (time !== null) return time;
  }
  return null;
}

/** The last event that has a time; null if none has. */
export function lastTimed(log: TimedEvents) {
  const position = log.lastUntil('9999-12-31T23:59:59.999999Z');
  const time = position === null ? null : log.timeAt(position);
  return position === null || time === null ? null : { position, time };
}

function withoutTimes(text: string): never {
  throw new LedgerError(
    'bad-when',
    `'${text}' cannot be mapped to a position: no event of this log has a time`,
  );
}

/** The states after the events from `from` to `to`, both included. */
export interface StateRange {
  readonly from: number;
  readonly to: number;
  /** Whether it begins at an instant before the first event, or ends at one after the last. */
  readonly isBeforeStart?: boolean;
  readonly isAfterEnd?: boolean;
}

/** The states of a range of moments; that of `start` is the one after the first event. */
export function statesOf({ from, to }: ReturnType<typeof findRange>): StateRange {
  return {
    from: Math.max(from.position, 0),
    to: Math.max(to.position, 0),
    isBeforeStart: from.instant !== null && from.position === START,
    isAfterEnd: to.logEnds !== null,
  };
}
