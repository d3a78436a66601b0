/**
 * Converts the times of strace lines (options -ttt, -tt, -t and -r) to microseconds on one clock.
 *
 * @module
 */
import type { Clock } from '../sighting.ts';
import { EPOCH_FROM, type Leader } from './leader.ts';

const SECOND = 1e6;
const DAY = 86_400 * SECOND;

/** The clock of a trace, which its first time decides. Keeps the state to resolve times of day. */
export class LineTimes {
  #clock: Clock = 'none';
  #latest = 0;
  /** The microseconds up to the last midnight. */
  #days = 0;

  get clock(): Clock {
    return this.#clock;
  }

  /** The time of the next line in microseconds; null if it has none on this clock. */
  take(leader: Leader): number | null {
    if (leader.seconds === -1) return null;
    const isFirst = this.#clock === 'none';
    if (isFirst) this.#clock = clockOf(leader);
    const shown = leader.seconds * SECOND + leader.micros;
    if (this.#clock === 'wall') return leader.isDaytime ? null : shown;
    if (leader.isDaytime !== (this.#clock === 'day')) return null;
    if (this.#clock === 'start') {
      // A relative time counts from the line before, so the first one has no meaning.
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
