/**
 * `LineClock`: puts all lines of a log on one clock.
 *
 * @module
 */
import type { Clock } from '../../events/vocabulary.ts';
import type { Stamp } from './times.ts';

export interface LineClock {
  /** `none` until the first line that has a time. */
  readonly clock: Clock;
  /**
   * The time of a line in microseconds, by its stamps from the outermost to the innermost: the
   * innermost on this clock. Null: none is on this clock.
   */
  at(stamps: readonly Stamp[]): number | null;
}

const DAY_MICROS = 86_400e6;

/** From the clock that says most of an instant to the one that says least. */
const BY_WORTH: readonly Clock[] = ['wall', 'local', 'day', 'uptime', 'start'];

/** Creates a clock. It is that of the first line with a time: of several clocks, the best one. */
export function lineClock(): LineClock {
  let clock: Clock = 'none';
  const ofDay = dayClock();
  return {
    get clock() {
      return clock;
    },
    at(stamps) {
      if (clock === 'none' && stamps.length > 0) {
        clock = BY_WORTH.find((one) => stamps.some((stamp) => stamp.clock === one)) ?? 'none';
      }
      const stamp = stamps.findLast((one) => one.clock === clock);
      if (stamp === undefined) return null;
      return clock === 'day' ? ofDay(stamp) : stamp.at;
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
