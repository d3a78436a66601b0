/**
 * From the clock of a trace to instants.
 *
 * @module
 */
import type { Clock } from '../events/vocabulary.ts';

/** When clocks stood at zero that do not say so, in microseconds since 1970; null where unknown. */
export interface Zero {
  /** When the host booted. */
  readonly booted: number | null;
  /** Midnight of the day of a trace that has times of day alone, in UTC. */
  readonly day: number | null;
  /** How far local time is ahead of UTC, in microseconds. */
  readonly zone: number | null;
}

/** The zero of a clock, and whether somebody has said so; null where nobody can know it. */
export function zeroOf(clock: Clock, { booted, day, zone }: Zero) {
  switch (clock) {
    case 'wall':
      return { at: 0, isStated: true };
    case 'local':
      // Where no zone is given it is taken to be UTC.
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

/** Longer before or after 1970 an instant is no text of ISO 8601 with four digits of a year. */
const FARTHEST = 253_402_300_799e6;

/** An instant in ISO 8601, in UTC and with microseconds; null where it is none. */
export function instantOf(micros: number): string | null {
  if (!(micros >= 0 && micros <= FARTHEST)) return null;
  const whole = Math.round(micros);
  const millis = Math.floor(whole / 1000);
  const rest = whole - millis * 1000;
  return `${new Date(millis).toISOString().slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
}

/** The microseconds of an instant in ISO 8601; null where the text is none. */
export function microsOf(text: string): number | null {
  const millis = Date.parse(/(?:[zZ]|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(millis) ? null : millis * 1000;
}
