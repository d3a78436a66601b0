/**
 * The fewest events after which an expression still comes to hold at the same event.
 *
 * @module
 */
import type { Placed } from '../../events/vocabulary.ts';
import { leavingOut } from '../fewest.ts';
import type { Timeline } from '../timeline.ts';
import { candidates } from './candidates.ts';
import { Trial, type FirstMatch } from './trial.ts';

/** Events that are played in search of the fewest, at most. */
const MOST_PLAYED = 2_000_000;

/**
 * The fewest positions, ascending, the one found at their end: were these all that happened, the
 * expression would first hold there, of rows owned through the same files. None of them can be left
 * out.
 *
 * They are looked for among the events that have to do with the rows, then among the last ones,
 * then among all since the boot; an expression about `since` may take some of the boots before.
 * Where that takes more than `most` events to be played, they are not the fewest, but those that are
 * known by then to be enough.
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
