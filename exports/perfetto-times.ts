/**
 * The times of events in a Perfetto trace, in nanoseconds: ascending, and no two of them equal, because
 * the viewer takes the direction of an arrow from the times of its ends.
 *
 * @module
 */
import type { Ledger } from '../ledger.ts';

/**
 * The time of each event, by its position less that of the first, and one time after the last. In a log
 * without times a position is a microsecond. An event without a time has that of the event before it; an
 * event with the time of another comes a nanosecond after it.
 */
export function perfettoTimes(ledger: Ledger): bigint[] {
  const { first, length, firstTime } = ledger;
  if (firstTime === null) {
    return Array.from({ length: length + 1 }, (_, index) => BigInt(first + index) * 1000n);
  }
  const times: bigint[] = [];
  let last = nanoseconds(firstTime) - 1n;
  for (const { time } of ledger.each()) {
    const own = time === null ? 0n : nanoseconds(time);
    last = own > last ? own : last + 1n;
    times.push(last);
  }
  return [...times, last + 1n];
}

/** A time of the log, with microseconds, in nanoseconds since 1970; 0 before that. */
function nanoseconds(time: string): bigint {
  const seconds = BigInt(Math.floor(Date.parse(time) / 1000));
  const found = seconds * 1_000_000_000n + BigInt(time.slice(20, 26)) * 1000n;
  return found > 0n ? found : 0n;
}
