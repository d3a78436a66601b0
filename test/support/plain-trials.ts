/**
 * Trials as they are meant: the whole history is played for each of them.
 *
 * @module
 */
import type { Fact, Placed } from '../../events/vocabulary.ts';
import { LiveHost } from '../../machines/live-host.ts';
import type { HistoryTrials } from '../../projections/why/because.ts';
import { takeIfPossible } from '../../projections/why/possible.ts';

export class PlainTrials implements HistoryTrials {
  readonly events: readonly Placed<Fact>[];

  constructor(events: readonly Placed<Fact>[]) {
    this.events = events;
  }

  get end(): LiveHost {
    const host = new LiveHost();
    for (const event of this.events) takeIfPossible(host, event);
    return host;
  }

  without(position: number): LiveHost {
    return this.withoutAll(new Set([position])).end;
  }

  withoutAll(positions: ReadonlySet<number>): PlainTrials {
    return new PlainTrials(this.events.filter(({ position }) => !positions.has(position)));
  }
}
