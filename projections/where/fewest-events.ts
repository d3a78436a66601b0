/**
 * Finds the fewest events after which an expression still begins to hold at the same event.
 *
 * @module
 */
import type { Placed } from '../../events/vocabulary.ts';
import { leavingOut } from '../fewest.ts';
import type { Timeline } from '../timeline.ts';
import { candidates } from './candidates.ts';
import { Trial, type FirstMatch } from './trial.ts';

/** The search ends after playing this many events. */
const MOST_PLAYED = 2_000_000;

/**
 * Positions of the events, ascending; the last is the event found. If only these had happened, the
 * expression would first hold there, for rows owned through the same files. No event can be left
 * out.
 *
 * It searches the events that involve the rows, then the last events, then all events since the
 * boot; for an expression about `since`, also earlier boots. After `most` events have been played
 * it returns the smallest set known so far, which may not be the fewest.
 */
export function fewestEvents(timeline: Timeline, found: FirstMatch, most = MOST_PLAYED): number[] {
  const { position } = found;
  if (position === timeline.first) return [position];
  const trial = new Trial(timeline, found);
  let events: readonly Placed[] = [];
  for (const among of candidates(timeline, found)) {
    events = among();
    if (trial.shows(events)) break;
  }
  const search = leavingOut(events);
  let step = search.next();
  while (step.done !== true && trial.played < most) {
    const shows = trial.shows(step.value);
    if (shows) events = step.value;
    step = search.next(shows);
  }
  return (step.done === true ? step.value : events).map((event) => event.position);
}
