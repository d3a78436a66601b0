/**
 * ISO 8601 text as instants in the one spelling of a log: UTC, a year of four digits, six decimals.
 *
 * A date, an hour or an offset that does not exist is no instant. Neither is a 60th second: the clocks of
 * Linux have no leap seconds, and taking it for the second after it would be a guess.
 *
 * @module
 */

/** A date and a time of day, in numbers; months count from 1. NaN is a number that is not there. */
export interface CalendarTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** 400 years always have as many days. */
const MS_OF_400_YEARS = 146_097 * 86_400_000;

/** A date and a time of day in UTC as milliseconds since 1970; null if they do not exist. */
export function millisOf({ year, month, day, hour, minute, second }: CalendarTime): number | null {
  const isDay = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(month, year);
  if (!isDay || !(hour < 24 && minute < 60 && second < 60)) return null;
  // `Date.UTC` takes the years 0 to 99 for 1900 to 1999.
  return Date.UTC(year + 400, month - 1, day, hour, minute, second) - MS_OF_400_YEARS;
}

function daysIn(month: number, year: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (month === 2) return isLeap ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

const YEAR_1 = -62_135_596_800_000;
const YEAR_10000 = 253_402_300_800_000;

/** Whether an instant, in milliseconds since 1970, is in the years 1 to 9999. */
export function isWritable(millis: number): boolean {
  return millis >= YEAR_1 && millis < YEAR_10000;
}

const form = new RegExp(
  String.raw`^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?` +
    String.raw`(?:[Zz]| ?([+-])(\d\d)(?::?(\d\d))?)?)?$`,
);

/**
 * The instant of ISO 8601 text, which is in UTC without an offset; digits after the sixth decimal are
 * cut off. Null for other text, and outside of the years 1 to 9999.
 */
export function instantIn(text: string): string | null {
  const [whole, year, month, day, hour = 0, minute = 0, second = 0, ...rest] =
    form.exec(text) ?? [];
  if (whole === undefined) return null;
  const [fraction = '', sign, ahead = 0, minutes = 0] = rest;
  const local = millisOf({
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
  });
  if (local === null || !(Number(ahead) < 24 && Number(minutes) < 60)) return null;
  const offset = (Number(ahead) * 60 + Number(minutes)) * 60_000;
  const millis = sign === '-' ? local + offset : local - offset;
  if (!isWritable(millis)) return null;
  return `${new Date(millis).toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
}

/** Whether microseconds since 1970 are an instant of the years 1 to 9999: a log has no other. */
export function isInstant(micros: number): boolean {
  return isWritable(Math.floor(Math.round(micros) / 1000));
}

/** Microseconds since 1970 as ISO 8601 text, in UTC with six decimals; null if it is no instant. */
export function instantOf(micros: number): string | null {
  if (!isInstant(micros)) return null;
  const whole = Math.round(micros);
  const millis = Math.floor(whole / 1000);
  const rest = whole - millis * 1000;
  return `${new Date(millis).toISOString().slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
}

/** ISO 8601 text as microseconds since 1970; null if it is not an instant. */
export function microsOf(text: string): number | null {
  const millis = Date.parse(/(?:[zZ]|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
  if (Number.isNaN(millis)) return null;
  // `Date` has no digits behind the milliseconds.
  const [, fraction = ''] = /[.,](\d+)/.exec(text) ?? [];
  return millis * 1000 + Number(fraction.padEnd(6, '0').slice(3, 6));
}
