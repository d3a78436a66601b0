/**
 * The groups that two tenants can have shared: most of a host's groups are left out before any hand
 * on them is looked for.
 *
 * @module
 */
import { coverageOf } from '../coverage.ts';
import type { SegmentHands } from '../index/segment-hands.ts';
import { touchedGroups } from '../index/touched-groups.ts';
import type { Timeline } from '../timeline.ts';
import { START, type StateRange } from '../when.ts';
import { bitOf, tenanciesIn, UNKNOWN } from './tenancies.ts';
import type { Tenant } from './tenants.ts';

/**
 * The groups on which each of the tenants, or a process of which that is not known, may have had a
 * hand in a range; null: any.
 */
export function groupsOfBoth(
  timeline: Timeline,
  tenants: readonly Tenant[],
  { from, to }: StateRange,
): ReadonlySet<string> | null {
  const { unknown } = coverageOf(timeline, { subject: null, from: START, to: timeline.head });
  const gaps = unknown.filter((gap) => (gap.from ?? 0) <= to);
  const unseenUntil = gaps.reduce((until, gap) => Math.max(until, gap.to ?? Infinity), 0);
  // A range may begin before the first event.
  if (unseenUntil > Math.max(from, 0)) return null;
  const setsIn = (hands: SegmentHands) => setsOf(hands, tenants);
  const watched = { setsIn, unknown: UNKNOWN, unseenUntil };
  const touched = touchedGroups(timeline.hands.from(), to, watched);
  const both = tenants.reduce((all, _, index) => all | bitOf(index), 0);
  const found = [...touched].filter(([, by]) => (by & UNKNOWN) !== 0 || (by & both) === both);
  return new Set(found.map(([code]) => timeline.groups()[code]!));
}

/** As `tenanciesIn`; what the kernel holds, or a process whose pid is not shown, may be anybody's. */
function setsOf(hands: SegmentHands, tenants: readonly Tenant[]): Uint8Array {
  const sets = tenanciesIn(hands, tenants);
  for (const span of hands.unshown) sets[span] = UNKNOWN;
  return sets;
}
