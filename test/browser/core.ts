/**
 * The core as a page would have it: a scenario in, a table and explanations out. Bundled by
 * `core.test.ts`.
 *
 * @module
 */
import type { Placed } from '../../events/vocabulary.ts';
import { parseScenario, simulate } from '../../host/simulation.ts';
import type { Profile } from '../../machines/profile.ts';
import { HostAtMoment } from '../../projections/moment.ts';
import { explainRefusal } from '../../projections/refusals.ts';
import { Timeline } from '../../projections/timeline.ts';
import { parseTopology } from '../../scenario/topology.ts';

/** Plays a scenario, and answers in JSON: the table at the end, and why each refusal was one. */
export function answers(scenario: string, topology: string, profile: Profile): string {
  const parsed = parseTopology(JSON.parse(topology));
  let number = 0;
  const digest = () => String(number++);
  const timeline = new Timeline();
  const refused: number[] = [];
  for (const { events } of simulate(parseScenario(scenario), parsed, profile, {
    seed: '',
    digest,
  })) {
    for (const event of events) {
      timeline.take(event as Placed);
      if (event.type === 'operation.refused') refused.push(event.position);
    }
  }
  const table = new HostAtMoment(timeline, timeline.head).table();
  return JSON.stringify({ table, why: refused.map((at) => explainRefusal(timeline, at)) });
}
