/**
 * `LineClock`: puts the lines of a log on one clock, or on a better one once a line has it.
 *
 * @module
 */
import type { Clock } from '../../events/vocabulary.ts';
import { zeroOf, type Zero } from '../instants.ts';
import { checkStamps, type Stamp } from './times.ts';

/** A time in microseconds on a clock. Null: the line has no time on the clock of its log. */
export interface LineTime {
  readonly clock: Clock;
  readonly at: number | null;
}

export interface LineClock {
  /** `none` until the first line that has a time. */
  readonly clock: Clock;
  /**
   * The time of a line, by its stamps from the outermost to the innermost: the innermost counts. Throws
   * `EvidenceError` if one of them does not exist.
   */
  of(stamps: readonly Stamp[]): LineTime;
}

const DAY_MICROS = 86_400e6;

/** From the clock that says least of an instant to the one that says most. */
const BY_WORTH: readonly Clock[] = ['none', 'start', 'uptime', 'day', 'local', 'wall'];

/**
 * Creates a clock. It is that of the first line with a time: of several clocks, the best one. The
 * first line with a better clock replaces it. A clock whose zero is known is better than one without:
 * its times are instants.
 */
export function lineClock(zero: Zero): LineClock {
  let clock: Clock = 'none';
  const ofDay = dayClock();
  const worth = (one: Clock) =>
    BY_WORTH.indexOf(one) + (zeroOf(one, zero) === null ? 0 : BY_WORTH.length);
  return {
    get clock() {
      return clock;
    },
    of(stamps) {
      checkStamps(stamps);
      for (const stamp of stamps) if (worth(stamp.clock) > worth(clock)) clock = stamp.clock;
      const stamp = stamps.findLast((one) => one.clock === clock);
      if (stamp === undefined) return { clock, at: null };
      return { clock, at: clock === 'day' ? ofDay(stamp) : stamp.at };
    },
  };
}

/** Counts times without a year from the midnight before the first of them. */
function dayClock(): (stamp: Stamp) => number | null {
  let first: Stamp | null = null;
  let midnight = 0;
  let last = 0;
  return (stamp) => {
    if (first === null) {
      first = stamp;
      midnight = Math.floor(stamp.at / DAY_MICROS) * DAY_MICROS;
    }
    if (first.isDateless !== stamp.isDateless) return null;
    const since = stamp.at - midnight;
    if (stamp.isDateless !== true)
      return since < -180 * DAY_MICROS ? since + 366 * DAY_MICROS : since;
    // A time of day far before the last one is of the next day.
    const day = Math.floor(last / DAY_MICROS) * DAY_MICROS;
    last = day + since + (day + since < last - DAY_MICROS / 2 ? DAY_MICROS : 0);
    return last;
  };
}
