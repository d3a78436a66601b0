/**
 * The tenants of the processes of a segment, told once of all processes that are called the same.
 *
 * @module
 */
import type { SegmentHands } from '../index/segment-hands.ts';
import { belongs, wordOf, type Tenant, type TenantMember } from './tenants.ts';

/** Bit of a process of which it is not known whether it belongs to one of the tenants. */
export const UNKNOWN = 1;

/** Bit of a process that belongs to the tenant with an index. */
export function bitOf(tenant: number): number {
  return 2 << tenant;
}

/** By the index of its span: the bits of each process of a segment. */
export function tenanciesIn(hands: SegmentHands, tenants: readonly Tenant[]): Uint8Array {
  const bits = new Uint8Array(hands.spans);
  const { pid: pids, label: labels } = hands.columns.spans;
  for (const [index, tenant] of tenants.entries()) {
    if (tenant.kind === 'pid') {
      for (const span of indexesOf(pids.cells, Number(tenant.id))) bits[span]! |= bitOf(index);
    }
    for (const [label, is] of labelsOf(hands, tenant)) {
      for (const span of indexesOf(labels.cells, label)) bits[span]! |= bitIf(is, index);
    }
  }
  for (const span of hands.unshown) bits[span] = bitsOf(hands.nameOf(span), tenants);
  return bits;
}

function bitsOf(process: TenantMember, tenants: readonly Tenant[]): number {
  return tenants.reduce((bits, tenant, index) => bits | bitIf(belongs(process, tenant), index), 0);
}

function bitIf(isMember: boolean | null, tenant: number): number {
  return isMember === null ? UNKNOWN : isMember ? bitOf(tenant) : 0;
}

function* indexesOf(cells: Pick<Uint32Array, 'indexOf'>, value: number): Generator<number> {
  for (let at = cells.indexOf(value); at >= 0; at = cells.indexOf(value, at + 1)) yield at;
}

/** Labels whose processes belong to a tenant (true), or may (null). */
type TenantLabels = readonly (readonly [label: number, is: true | null])[];

/** Tenants whose labels are remembered of each segment: a question asks twice. */
const REMEMBERED = 8;
const remembered = new WeakMap<SegmentHands, Map<string, TenantLabels>>();

/** The labels of a tenant; only processes whose pid is shown are meant. */
function labelsOf(hands: SegmentHands, tenant: Tenant): TenantLabels {
  const known = remembered.get(hands) ?? new Map<string, TenantLabels>();
  remembered.set(hands, known);
  const key = `${wordOf(tenant)} ${tenant.hasScope}`;
  let found = known.get(key);
  if (found === undefined) {
    found = findLabels(hands, tenant);
    if (known.size >= REMEMBERED) known.clear();
    known.set(key, found);
  }
  return found;
}

function findLabels(hands: SegmentHands, tenant: Tenant): TenantLabels {
  const found: [number, true | null][] = [];
  if (tenant.kind === 'pid') return found;
  const isNarrow = tenant.kind === 'cgroup' && tenant.id !== '/';
  const named = isNarrow ? hands.textsWith(tenant.id.slice(1)) : null;
  const { cgroup } = hands.columns.labels;
  for (let label = 0; label < hands.labels; label++) {
    const group = cgroup.cells[label]!;
    // Most control groups are looked at without being read.
    if (named !== null && group !== 0 && !named.has(group - 1)) continue;
    const is = belongs(hands.labelAt(label, SHOWN), tenant);
    if (is !== false) found.push([label, is]);
  }
  return found;
}

/** A pid that is shown, whichever. */
const SHOWN = 1;
