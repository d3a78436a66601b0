/**
 * The core as a page would have it: a scenario in, a table and explanations out, as data and in
 * words. Bundled by `core.test.ts`.
 *
 * @module
 */
import type { Placed } from '../../events/vocabulary.ts';
import { parseScenario, simulate } from '../../host/simulation.ts';
import type { Profile } from '../../machines/profile.ts';
import { HostAtMoment } from '../../projections/moment.ts';
import { explainRefusal } from '../../projections/refusals.ts';
import { commAt } from '../../projections/process-name.ts';
import { Timeline } from '../../projections/timeline.ts';
import { parseTopology } from '../../scenario/topology.ts';
import { eventWords } from '../../words/events.ts';
import { whyWords } from '../../words/why.ts';

/** Plays a scenario, and answers in JSON: events, the table at the end, and why each refusal was one. */
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
  const why = refused.map((at) => explainRefusal(timeline, at));
  const history = {
    event: (position: number) => timeline.at(position),
    commOf: (pid: number, position: number) => commAt(timeline, pid, position),
  };
  const explained = why.map((found) => whyWords(found, history).join('\n'));
  const described = timeline.events.map((event) => eventWords(event, history));
  return JSON.stringify({ table, why, explained, described });
}
