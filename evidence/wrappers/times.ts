/**
 * Times as logs print them, and the patterns that find them.
 *
 * @module
 */
import { millisOf } from '../../events/iso-8601.ts';
import type { Clock } from '../../events/vocabulary.ts';
import { EvidenceError } from '../importer.ts';

/** A time on one of the clocks. */
export interface Stamp {
  readonly clock: Exclude<Clock, 'none'>;
  /** Microseconds; NaN if there is no such time. */
  readonly at: number;
  /** The time as it is printed, if there is no such time. */
  readonly impossible?: string;
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
export function zoned(groups: Groups): Stamp {
  const { zone } = groups;
  if (zone === undefined) return calendar(groups, 'local');
  const stamp = calendar(groups, 'wall');
  if (zone === 'Z') return stamp;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours > 23 || minutes > 59) {
    return { clock: 'wall', at: NaN, impossible: `${printed(groups)}${zone}` };
  }
  const east = (zone.startsWith('+') ? 1 : -1) * (hours * 60 + minutes);
  return { ...stamp, at: stamp.at - east * 60_000_000 };
}

/** A month, a day and a time of day, without a year. */
export function yearless(groups: Groups): Stamp {
  return calendar({ ...groups, year: LEAP_YEAR }, 'day', groups);
}

/** A time of day alone. */
export function dateless(groups: Groups): Stamp {
  const stamp = calendar({ ...groups, year: '1970', month: '01', day: '01' }, 'day', groups);
  return { ...stamp, isDateless: true };
}

/** Seconds with a fraction since the boot. */
export function sinceBoot(groups: Groups): Stamp {
  return { clock: 'uptime', at: micros(groups) };
}

/**
 * A calendar time. It is `impossible` if there is no such day or hour. `shown`: what the log prints of
 * it.
 */
export function calendar(
  groups: Groups,
  clock: 'wall' | 'local' | 'day',
  shown: Groups = groups,
): Stamp {
  const { year, month, name, day, hour, minute, second, fraction } = groups;
  const millis = millisOf({
    year: Number(year),
    month: name === undefined ? Number(month) : MONTHS.indexOf(name) + 1,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
  });
  if (millis === null) return { clock, at: NaN, impossible: printed(shown) };
  return { clock, at: millis * 1000 + micros({ second: '0', fraction }) };
}

/** A calendar time, for messages. */
function printed({ year, month, name, day, hour, minute, second }: Groups): string {
  const date = [year, name ?? month, day].filter((part) => part !== undefined).join('-');
  return `${date} ${hour}:${minute}:${second}`.trimStart();
}

/** Throws `EvidenceError` for the first time that does not exist. */
export function checkStamps(stamps: readonly Stamp[]): void {
  const odd = stamps.find(({ impossible }) => impossible !== undefined);
  if (odd !== undefined) throw new EvidenceError(`there is no such time: ${odd.impossible}`);
}

/** The groups `second` and `fraction` in microseconds. */
export function micros({ second, fraction }: Groups): number {
  return Number(second) * 1_000_000 + Number((fraction ?? '').padEnd(6, '0').slice(0, 6));
}
