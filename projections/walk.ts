/**
 * The way through a whole history for questions about all of it: once, event by event.
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import { LiveHost } from '../machines/live-host.ts';
import type { Timeline } from './timeline.ts';

/** The events of a history, ascending. Whoever goes through one gets them here. */
export function eventsOf<E extends Placed>(timeline: Timeline<E>): Iterable<E> {
  return timeline.select(timeline.first, timeline.head, null);
}

/** An event, and the host that has taken it; the same host each time, as it goes on. */
interface Taken<E> {
  readonly event: E;
  readonly host: LiveHost;
}

/** Each event with the host after it. Events before the first boot of which nothing is known are left out. */
export function* walk<E extends Placed>(timeline: Timeline<E>): Generator<Taken<E>, void, void> {
  const host = new LiveHost({ isKnown: timeline.first === 0 });
  for (const event of eventsOf(timeline)) {
    if (!host.isKnown && event.type !== 'host.booted') continue;
    host.take(event);
    yield { event, host };
  }
}
