/**
 * Times of strace: -ttt, -tt and -t, -r.
 *
 * @module
 */
import type { Clock } from '../sighting.ts';
import { EPOCH_FROM, type Leader } from './leader.ts';

const SECOND = 1e6;
const DAY = 86_400 * SECOND;

export class LineTimes {
  #clock: Clock = 'none';
  #latest = 0;
  /** What came before this midnight. */
  #days = 0;

  get clock(): Clock {
    return this.#clock;
  }

  /** The time of the next line, in microseconds. */
  take(leader: Leader): number | null {
    if (leader.seconds === -1) return null;
    const isFirst = this.#clock === 'none';
    if (isFirst) this.#clock = clockOf(leader);
    const shown = leader.seconds * SECOND + leader.micros;
    if (this.#clock === 'wall') return leader.isDaytime ? null : shown;
    if (leader.isDaytime !== (this.#clock === 'day')) return null;
    if (this.#clock === 'start') {
      // Relative to the line before, and so the first to a line that is not there.
      this.#latest = isFirst ? 0 : this.#latest + shown;
      return this.#latest;
    }
    if (shown + this.#days < this.#latest - DAY / 2) this.#days += DAY;
    this.#latest = shown + this.#days;
    return this.#latest;
  }
}

function clockOf({ isDaytime, seconds }: Leader): Clock {
  if (isDaytime) return 'day';
  return seconds >= EPOCH_FROM ? 'wall' : 'start';
}
