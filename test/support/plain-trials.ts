/**
 * Trials as they are meant: the whole history is played for each of them.
 *
 * @module
 */
import type { Fact, Placed } from '../../events/vocabulary.ts';
import { LiveHost } from '../../machines/live-host.ts';
import type { HistoryTrials } from '../../projections/why/because.ts';
import { HeldEvents } from '../../projections/why/played-events.ts';
import { takeIfPossible } from '../../projections/why/possible.ts';

export class PlainTrials<V> implements HistoryTrials<V> {
  readonly events: HeldEvents;
  readonly #all: readonly Placed<Fact>[];
  readonly #judge: (host: LiveHost) => V;

  constructor(events: readonly Placed<Fact>[], judge: (host: LiveHost) => V) {
    this.events = new HeldEvents(events);
    this.#all = events;
    this.#judge = judge;
  }

  get end(): LiveHost {
    const host = new LiveHost();
    for (const event of this.#all) takeIfPossible(host, event);
    return host;
  }

  get verdict(): V {
    return this.#judge(this.end);
  }

  without(position: number): V {
    return this.withoutAll(new Set([position])).verdict;
  }

  withoutAll(positions: ReadonlySet<number>): PlainTrials<V> {
    const events = this.#all.filter(({ position }) => !positions.has(position));
    return new PlainTrials(events, this.#judge);
  }
}
