/**
 * Puts the time of the event beside each position of an answer.
 *
 * The rest of `projections/` has positions only: a time is read when the answer is finished.
 *
 * @module
 */
import type { Position } from './shapes.ts';

/** The keys of an answer that are positions, each with the key of its time. */
const timeKeys = {
  position: 'time',
  from: 'fromTime',
  to: 'toTime',
  since: 'sinceTime',
  wouldPassAfter: 'wouldPassAfterTime',
} as const;

type TimeKeys = typeof timeKeys;
type PositionKey = keyof TimeKeys;

/** An answer, or a part of one, without the times beside its positions. */
export type Untimed<T> = Omit<T, TimeKeys[PositionKey]>;

type Timed<T> = T & {
  readonly [K in PositionKey & keyof T as TimeKeys[K]]: string | null;
};

/** What knows the times of events. */
interface EventTimes {
  /** ISO 8601 with microseconds, UTC; null if the event has no time. */
  timeAt(position: number): string | null;
}

/**
 * The same object with the time of the event right after each position. The time is null if the
 * event has none, and for `start`. It leaves the objects in it as they are.
 */
export function timed<T extends object>(events: EventTimes, answer: T): Timed<T> {
  const found: Record<string, unknown> = {};
  // The keys of a plain object are its own; `Object.entries` takes twice as long.
  for (const key in answer) {
    found[key] = answer[key];
    const timeKey = (timeKeys as Readonly<Record<string, string>>)[key];
    if (timeKey === undefined) continue;
    const position = answer[key] as Position;
    found[timeKey] = position === null ? null : events.timeAt(position);
  }
  return found as Timed<T>;
}
