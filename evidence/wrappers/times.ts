/**
 * Times as logs print them, and the patterns that find them.
 *
 * @module
 */
import type { Clock } from '../../events/vocabulary.ts';

/** A time on one of the clocks. */
export interface Stamp {
  readonly clock: Exclude<Clock, 'none'>;
  /** Microseconds. */
  readonly at: number;
  /** On the clock `day`: the time has no date. */
  readonly isDateless?: true;
}

/** The named groups of a pattern below. */
export type Groups = Readonly<Record<string, string | undefined>>;

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
export const MONTH = MONTHS.join('|');
export const WEEKDAY = 'Mon|Tue|Wed|Thu|Fri|Sat|Sun';
export const DATE = String.raw`(?<year>\d{4})[-/](?<month>\d\d)[-/](?<day>\d\d)`;
const FRACTION = String.raw`(?:[.,:](?<fraction>\d{1,9}))?`;
export const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)${FRACTION}`;
export const ZONE = String.raw`(?<zone>Z|[+-]\d\d:?\d\d)`;

/** Replaces a missing year: it has every possible day. */
const LEAP_YEAR = '2000';

/** A date, a time of day, and perhaps a zone. */
export function zoned(groups: Groups): Stamp | null {
  const { zone } = groups;
  if (zone === undefined) return calendar(groups, 'local');
  const stamp = calendar(groups, 'wall');
  if (stamp === null || zone === 'Z') return stamp;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  const east = zone.startsWith('+') ? minutes : -minutes;
  return { ...stamp, at: stamp.at - east * 60_000_000 };
}

/** A month, a day and a time of day, without a year. */
export function yearless(groups: Groups): Stamp | null {
  return calendar({ ...groups, year: LEAP_YEAR }, 'day');
}

/** A time of day alone. */
export function dateless(groups: Groups): Stamp | null {
  const stamp = calendar({ ...groups, year: '1970', month: '01', day: '01' }, 'day');
  return stamp && { ...stamp, isDateless: true };
}

/** Seconds with a fraction since the boot. */
export function sinceBoot(groups: Groups): Stamp {
  return { clock: 'uptime', at: micros(groups) };
}

/** A calendar time; null if there is no such day or hour. */
export function calendar(groups: Groups, clock: 'wall' | 'local' | 'day'): Stamp | null {
  const { year, month, name, day, hour, minute, second } = groups;
  const index = name === undefined ? Number(month) - 1 : MONTHS.indexOf(name);
  const [d, h, m, s] = [Number(day), Number(hour), Number(minute), Number(second)];
  if (!(index >= 0 && index < 12 && d >= 1 && d <= 31 && h < 24 && m < 60 && s <= 60)) return null;
  const at = Date.UTC(Number(year), index, d, h, m) * 1000;
  return { clock, at: at + micros(groups) };
}

/** The groups `second` and `fraction` in microseconds. */
export function micros({ second, fraction }: Groups): number {
  return Number(second) * 1_000_000 + Number((fraction ?? '').padEnd(6, '0').slice(0, 6));
}
