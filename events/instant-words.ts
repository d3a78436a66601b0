/**
 * The words for an instant: ISO 8601 text, `now`, a time before now (`-10m`) and a time of day.
 *
 * An instant is written as in the log: ISO 8601, UTC, with microseconds.
 *
 * @module
 */
import { instantIn, isWritable } from './iso-8601.ts';
import { LedgerError } from './ledger-error.ts';

/** What the words that are not ISO 8601 refer to. Each is called only for a word that needs it. */
export interface InstantContext {
  readonly now: () => Date;
  /** The day (UTC, `YYYY-MM-DD`) of a time of day. It throws if there is none. */
  readonly day: () => string;
}

/** Whether a word is a time before now: `-90s`, `-10m`, `-2h`, `-3d`. */
export function isRelative(word: string): boolean {
  return relative.test(word);
}

/** The instant that a word means. Throws `bad-when` if it means none. */
export function instantNamed(word: string, { now, day }: InstantContext): string {
  const [, count, unit = ''] = relative.exec(word) ?? [];
  if (word === 'now' || count !== undefined) {
    const instant = new Date(now().getTime() - Number(count ?? 0) * (unitMs[unit] ?? 0));
    if (isWritable(instant.getTime())) return `${instant.toISOString().slice(0, -1)}000Z`;
    throw new LedgerError('bad-when', `'${word}' is not within the years 1 to 9999`);
  }
  const [, hour, second = ':00'] = timeOfDay.exec(word) ?? [];
  const instant = instantIn(hour === undefined ? word : `${day()}T${hour}${second}`);
  if (instant !== null) return instant;
  throw new LedgerError(
    'bad-when',
    `'${word}' is not a position, 'start', 'end', 'now', a time before now (-10m), ` +
      'a time of day (HH:MM) or an ISO 8601 instant',
  );
}

const relative = /^-(\d+)([smhd])$/;
const unitMs: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3 };
const timeOfDay = /^((?:[01]\d|2[0-3]):[0-5]\d)(:[0-5]\d)?$/;
