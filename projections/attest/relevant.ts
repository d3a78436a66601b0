/**
 * The groups that two tenants can have shared: most of a host's groups are left out before any hand
 * on them is looked for.
 *
 * @module
 */
import { KERNEL_PID } from '../../processes/process-table.ts';
import { coverageOf } from '../coverage.ts';
import { processSpans } from '../index/process-spans.ts';
import { touchedGroups } from '../index/touched-groups.ts';
import type { Timeline } from '../timeline.ts';
import { START, type StateRange } from '../when.ts';
import { oncePerLabel } from './labels.ts';
import { belongs, type Tenant } from './tenants.ts';

/** The set of processes of which it is not known whether they are a tenant's. */
const UNKNOWN = 1;

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
  const sets = setsOf(timeline, tenants);
  const watched = { setsOf: (pid: number) => sets.get(pid) ?? 0, unknown: UNKNOWN, unseenUntil };
  const touched = touchedGroups(timeline.segments(), to, watched);
  const both = tenants.reduce((all, _, index) => all | bitOf(true, index), 0);
  const found = [...touched].filter(([, by]) => (by & UNKNOWN) !== 0 || (by & both) === both);
  return new Set(found.map(([group]) => group));
}

/** By pid: the tenants that its processes may have belonged to, as bits. */
function setsOf(timeline: Timeline, tenants: readonly Tenant[]): Map<number, number> {
  const { first, head } = timeline;
  const sets = new Map<number, number>([[KERNEL_PID, UNKNOWN]]);
  const setsOfLabel = oncePerLabel(tenants, (process) => {
    const each = tenants.map((tenant) => belongs(process, tenant));
    return each.reduce<number>((all, is, index) => all | bitOf(is, index), 0);
  });
  for (const span of processSpans(timeline.segments(first), first, head)) {
    const { pid } = span;
    // A number that stands for one that was not seen.
    const of = pid < KERNEL_PID ? setsOfLabel(span) : UNKNOWN;
    if (of !== 0) sets.set(pid, (sets.get(pid) ?? 0) | of);
  }
  return sets;
}

function bitOf(isMember: boolean | null, tenant: number): number {
  if (isMember === null) return UNKNOWN;
  return isMember ? 2 << tenant : 0;
}
