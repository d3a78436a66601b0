/**
 * Converts the times that settings give in words to instants.
 *
 * @module
 */
import { microsOf } from '../events/iso-8601.ts';
import { instantNamed } from '../events/instant-words.ts';
import { LedgerError, RequestError } from '../events/ledger-error.ts';
import type { ImportSettings } from './settings.ts';

/**
 * The instant at which listings were made or the host booted, as in the log. `day`: that of a time of
 * day. Throws `bad-request`, which names `option`, for text that names no instant.
 */
export function takenAt(
  text: string,
  { day, clock = () => new Date() }: Pick<ImportSettings, 'day' | 'clock'>,
  option = '--taken',
): string {
  try {
    return instantNamed(text, { now: clock, day: () => dayFor(text, day) });
  } catch (error) {
    if (!(error instanceof LedgerError) || error.code !== 'bad-when') throw error;
    const known = 'an ISO 8601 instant, now, a time before now (-10m) or a time of day (HH:MM)';
    throw new RequestError(`${option}: '${text}' is not ${known}`);
  }
}

function dayFor(text: string, day: string | undefined): string {
  if (day !== undefined) return day;
  throw new RequestError(`'${text}' is a time of day: give the day as well, --day YYYY-MM-DD`);
}

/** Throws `bad-request`, which names `option`, for text that is no ISO 8601 instant. */
export function checkInstant(text: string, option: string): void {
  const none = (): never => {
    throw new RequestError(`${option}: '${text}' is not an ISO 8601 instant`);
  };
  try {
    instantNamed(text, { now: none, day: none });
  } catch {
    none();
  }
}

/** The beginning of a day, UTC, in microseconds since 1970. Throws `bad-request`. */
export function midnight(day: string): number | null {
  if (!/^\d{4}-\d\d-\d\d$/.test(day))
    throw new RequestError(`--day takes YYYY-MM-DD, not '${day}'`);
  checkInstant(day, '--day');
  return microsOf(`${day}T00:00:00Z`);
}

/** The offset of a zone such as `+01:00` from UTC, in microseconds. Throws `bad-request`. */
export function zoneMicros(text: string): number {
  const [, sign, hours, minutes] = /^([+-])([01]\d|2[0-3]):?([0-5]\d)$/.exec(text) ?? [];
  if (sign === undefined)
    throw new RequestError(`--zone takes an offset such as +01:00, not '${text}'`);
  const ahead = (Number(hours) * 60 + Number(minutes)) * 60e6;
  return sign === '-' ? -ahead : ahead;
}
