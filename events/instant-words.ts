/**
 * The words for an instant: ISO 8601 text, `now`, a time before now (`-10m`) and a time of day.
 *
 * An instant is written as in the log: ISO 8601, UTC, with microseconds.
 *
 * @module
 */
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
    if (isWritable(instant)) return `${instant.toISOString().slice(0, -1)}000Z`;
    throw new LedgerError('bad-when', `'${word}' is not within the years 0 to 9999`);
  }
  const [, hour, second = ':00'] = timeOfDay.exec(word) ?? [];
  return iso8601(hour === undefined ? word : `${day()}T${hour}${second}`, word);
}

const relative = /^-(\d+)([smhd])$/;
const unitMs: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3 };
const timeOfDay = /^((?:[01]\d|2[0-3]):[0-5]\d)(:[0-5]\d)?$/;

/** Whether the year has four digits, as in the log. */
function isWritable(instant: Date): boolean {
  return instant.getTime() >= YEAR_0 && instant.getTime() < YEAR_10000;
}

const YEAR_0 = Date.parse('0000-01-01T00:00:00Z');
const YEAR_10000 = Date.parse('9999-12-31T23:59:59.999Z') + 1;

/** ISO 8601 text as an instant; text without an offset is in UTC. `word` is named in the error. */
function iso8601(text: string, word: string): string {
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
  if (!isDay || !isWritable(instant)) {
    throw new LedgerError(
      'bad-when',
      `'${word}' is not a position, 'start', 'end', 'now', a time before now (-10m), ` +
        'a time of day (HH:MM) or an ISO 8601 instant',
    );
  }
  return `${instant.toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
}
