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
  const unseenUntil = Math.max(0, ...gaps.map((gap) => gap.to ?? Infinity));
  if (unseenUntil > from && gaps.length > 0) return null;
  const sets = setsOf(timeline, tenants);
  const watched = { setsOf: (pid: number) => sets.get(pid) ?? 0, unknown: UNKNOWN, unseenUntil };
  const touched = touchedGroups(timeline.segments(), to, watched);
  const both = tenants.reduce((all, _, index) => all | bitOf(index), 0);
  const found = [...touched].filter(([, by]) => (by & UNKNOWN) !== 0 || (by & both) === both);
  return new Set(found.map(([group]) => group));
}

/** By pid: the tenants that its processes may have belonged to, as bits. */
function setsOf(timeline: Timeline, tenants: readonly Tenant[]): Map<number, number> {
  const { first, head } = timeline;
  const sets = new Map<number, number>([[KERNEL_PID, UNKNOWN]]);
  const known = new Map<string, number>();
  for (const span of processSpans(timeline.segments(first), first, head)) {
    const { pid, comm, cgroup, vm } = span;
    const key = JSON.stringify([tenants.some(({ kind }) => kind === 'pid') && pid, comm, cgroup, vm]);
    let of = pid < KERNEL_PID ? known.get(key) : UNKNOWN;
    if (of === undefined) {
      const each = tenants.map((tenant) => belongs(span, tenant));
      of = each.reduce((all, is, index) => {
        return all | (is === null ? UNKNOWN : is ? bitOf(index) : 0);
      }, 0);
      known.set(key, of);
    }
    if (of !== 0) sets.set(pid, (sets.get(pid) ?? 0) | of);
  }
  return sets;
}

/** The set of a tenant's processes. */
function bitOf(tenant: number): number {
  return 2 << tenant;
}
