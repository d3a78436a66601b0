/**
 * The core as a page would have it: a scenario in, a table and explanations out, as data and in
 * words, and a past that goes on otherwise. Bundled by `core.test.ts`.
 *
 * @module
 */
import { parseScenario, simulate } from '../../host/simulation.ts';
import { Past } from '../../ledger/questions.ts';
import { type SupposedEvent, WhatIf } from '../../ledger/what-if.ts';
import type { Profile } from '../../machines/profile.ts';
import { Timeline } from '../../projections/timeline.ts';
import { parseTopology } from '../../scenario/topology.ts';

/** A history that lies in no log. */
class Played extends Past<SupposedEvent> {
  protected override forkAt(position: number): WhatIf {
    return new WhatIf(this.timeline, position);
  }
}

/**
 * Plays a scenario, and answers in JSON: the table at the end, why each refusal was one, every event
 * in words, and how the first refused call would have gone after the first event.
 */
export function answers(scenario: string, topology: string, profile: Profile): string {
  const parsed = parseTopology(JSON.parse(topology));
  let number = 0;
  const digest = () => String(number++);
  const timeline = new Timeline<SupposedEvent>();
  const steps = simulate(parseScenario(scenario), parsed, profile, { seed: '', digest });
  for (const { events } of steps) {
    for (const event of events) timeline.take(event as SupposedEvent);
  }
  return JSON.stringify(answersOf(new Played(timeline)));
}

/** The same of any history. */
export function answersOf<E extends SupposedEvent>(past: Past<E>) {
  const why = past.log({ refused: true }).map(({ position }) => past.why(position));
  const fork = past.at('end').fork();
  const pid = fork.start({ comm: 'late' });
  return {
    table: past.at('end').table(),
    why,
    explained: why.map((found) => past.explain(found)),
    described: past.events.map((event) => past.describe(event)),
    attempted: fork.attempt({ operation: 'open_iommufd', pid }),
  };
}
