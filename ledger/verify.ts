/**
 * `verify`: plays all events once, and compares them with the rules, and the index with them.
 *
 * @module
 */
import { optionsGiven } from '../events/given.ts';
import type { Placed } from '../events/vocabulary.ts';
import { ExplainedRefusals } from '../projections/audit/counterfactuals.ts';
import { Verifier, witnessFindings } from '../projections/audit/verification.ts';
import type { Finding } from '../projections/findings.ts';
import { intervalsOfGroups } from '../projections/history.ts';
import type { Timeline } from '../projections/timeline.ts';
import type { VerifyOptions } from './settings.ts';

/** The findings in a timeline; `hashAt` knows the hashes of its events and the one before them. */
export function verifyTimeline<E extends Placed>(
  timeline: Timeline<E>,
  options: VerifyOptions,
  hashAt: (position: number) => string | undefined,
): Finding[] {
  const { head, exhaustive = false } = optionsGiven('verify', options);
  const rebuild = timeline.rebuild();
  const verifier = new Verifier(rebuild);
  const refusals = exhaustive ? new ExplainedRefusals(() => true) : new ExplainedRefusals();
  for (const event of timeline.between(timeline.first, timeline.head)) {
    refusals.take(event, rebuild.host);
    verifier.take(event);
  }
  const differences = timeline.adopt(rebuild);
  const intervals = intervalsOfGroups(timeline);
  verifier.compare((group) => intervals.get(group) ?? []);
  return [
    ...verifier.findings,
    ...differences.map((difference) => ({ kind: 'segment', ...difference }) as const),
    ...refusals.compare(timeline),
    ...(head === undefined ? [] : witnessFindings(head, timeline.first, hashAt)),
  ];
}
