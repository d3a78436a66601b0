/**
 * Plays a whole history event by event, for questions about all of it.
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import { LiveHost } from '../machines/live-host.ts';
import type { Timeline } from './timeline.ts';

/** All events of a history, ascending. */
export function eventsOf<E extends Placed>(timeline: Timeline<E>): Iterable<E> {
  return timeline.select(timeline.first, timeline.head, null);
}

/** An event, and the host after it. The host is the same object each time: it changes. */
interface Taken<E> {
  readonly event: E;
  readonly host: LiveHost;
}

/** Each event with the host after it. If older events were removed, it begins at the first boot. */
export function* walk<E extends Placed>(timeline: Timeline<E>): Generator<Taken<E>, void, void> {
  const host = new LiveHost({ isKnown: timeline.first === 0 });
  for (const event of eventsOf(timeline)) {
    if (!host.isKnown && event.type !== 'host.booted') continue;
    host.take(event);
    yield { event, host };
  }
}
