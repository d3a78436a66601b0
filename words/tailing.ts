/**
 * What is said of a log that is followed.
 *
 * @module
 */
import { counted, placeWords } from './moments.ts';

/** How many events of the log have not been shown yet. */
export function behindWords(events: number): string {
  return `${counted(events, 'event')} behind`;
}

/** That all events are shown, up to which one. */
export function upToDateWords(position: number, time: string | null): string {
  return position < 0 ? 'up to date: no event yet' : `up to date at ${placeWords(position, time)}`;
}
