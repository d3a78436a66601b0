/**
 * Converts times on the clock of a trace to instants in UTC.
 *
 * @module
 */
import { isWritable } from '../events/iso-8601.ts';
import type { Clock } from '../events/vocabulary.ts';

/** The zeros of clocks that traces do not state, in microseconds since 1970; null if unknown. */
export interface Zero {
  /** The boot of the host. */
  readonly booted: number | null;
  /** Midnight, in UTC, of the day of a trace with times of day only. */
  readonly day: number | null;
  /** The offset of local time from UTC in microseconds; positive in the east. */
  readonly zone: number | null;
}

/** Nothing is known of them. */
export const UNKNOWN_ZEROS: Zero = { booted: null, day: null, zone: null };

/**
 * The zero of a clock in microseconds since 1970; null if it is unknown. `isStated` is false if the
 * time zone is assumed.
 */
export function zeroOf(clock: Clock, { booted, day, zone }: Zero) {
  switch (clock) {
    case 'wall':
      return { at: 0, isStated: true };
    case 'local':
      // Without a zone, UTC is assumed.
      return { at: -(zone ?? 0), isStated: zone !== null };
    case 'uptime':
      return booted === null ? null : { at: booted, isStated: true };
    case 'day':
      return day === null ? null : { at: day - (zone ?? 0), isStated: zone !== null };
    case 'start':
    case 'none':
      return null;
  }
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
