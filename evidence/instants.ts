/**
 * Where the clocks of traces begin.
 *
 * @module
 */
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
