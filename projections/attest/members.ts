/**
 * The processes of tenants over time: whether there are any, and whether they can be told apart.
 *
 * @module
 */
import { LedgerError, RequestError } from '../../events/ledger-error.ts';
import { nearestClause } from '../../events/nearest.ts';
import type { EventType } from '../../events/vocabulary.ts';
import { KERNEL_PID } from '../../processes/process-table.ts';
import { processSpans, type ProcessSpan } from '../index/process-spans.ts';
import type { SegmentHands } from '../index/segment-hands.ts';
import type { Timeline } from '../timeline.ts';
import type { StateRange } from '../when.ts';
import { oncePerLabel } from './labels.ts';
import { tenanciesIn, UNKNOWN } from './tenancies.ts';
import {
  belongs,
  isInScope,
  parseTenant,
  tenantsOf,
  wordOf,
  type Life,
  type Tenant,
} from './tenants.ts';

/**
 * The tenants that words name. Throws `unknown-subject` for one that no evidence names, and
 * `bad-request` for another word, if two processes had the number of `pid:N` in the range, or if one
 * process belonged to two of the tenants at a time.
 */
export function resolveTenants(
  timeline: Timeline,
  words: readonly string[],
  { from, to }: StateRange,
): Tenant[] {
  const tenants = words.map(parseTenant);
  const [a, b] = tenants.map(wordOf);
  if (a !== undefined && a === b) throw new RequestError(`${a} is one tenant: name two`);
  const named = new Set<Tenant>();
  const scoped = new Set<Tenant>();
  const users = new Map<Tenant, ProcessSpan>();
  const lives = new Map<number, Life>();
  const tenanciesOf = oncePerLabel(tenants, (process) =>
    tenants.filter((tenant) => belongs(process, tenant) === true),
  );
  const { first, head } = timeline;
  const wanted = (hands: SegmentHands) => spansOf(hands, tenants);
  for (const span of processSpans(timeline.hands.from(), first, head, wanted)) {
    if (span.pid === KERNEL_PID) continue;
    const of = tenanciesOf(span);
    for (const tenant of of) {
      named.add(tenant);
      if (tenant.kind === 'vm' && isInScope(span, tenant.id)) scoped.add(tenant);
    }
    if (of.some(({ kind }) => kind === 'pid')) {
      // A process that got another name has several spans, one after the other.
      const { from = span.from } = lives.get(span.process) ?? {};
      lives.set(span.process, { from, to: span.to });
    }
    if (span.from > to || (span.to !== null && span.to <= from)) continue;
    const [one, other] = of;
    if (one !== undefined && other !== undefined) throw inCommon(one, other, span);
    if (one?.kind !== 'pid') continue;
    const before = users.get(one);
    if (before !== undefined && before.process !== span.process) throw usedTwice(before, span);
    users.set(one, span);
  }
  for (const tenant of tenants) {
    if (!named.has(tenant) && !isToldOf(timeline, tenant)) throw unnamed(timeline, tenant);
  }
  return tenants.map((tenant) => {
    const life = lives.get(users.get(tenant)?.process ?? -1);
    return { ...tenant, hasScope: scoped.has(tenant), ...(life !== undefined && { life }) };
  });
}

function allSpans(timeline: Timeline): Iterable<ProcessSpan> {
  const { first, head } = timeline;
  return processSpans(timeline.hands.from(), first, head);
}

/** The spans of a segment that belong to any of some tenants. */
function spansOf(hands: SegmentHands, tenants: readonly Tenant[]): number[] {
  const found: number[] = [];
  const bits = tenanciesIn(hands, tenants);
  for (let span = 0; span < bits.length; span++) if (bits[span]! > UNKNOWN) found.push(span);
  return found;
}

/**
 * Whether events name a tenant that no process is known to belong to: a refused call names a pid, and
 * the claim of a manager a virtual machine.
 */
function isToldOf(timeline: Timeline, { kind, id }: Tenant): boolean {
  if (kind === 'pid') return timeline.knows(`process ${id}`);
  if (kind !== 'vm') return false;
  for (const claimant of claimantsIn(timeline)) if (claimant === id) return true;
  return false;
}

const claims: ReadonlySet<EventType> = new Set([
  'claim.granted',
  'claim.refused',
  'claim.released',
] as const);

function* claimantsIn(timeline: Timeline): Generator<string> {
  for (const { data } of timeline.select(timeline.first, timeline.head, null, claims)) {
    if ('claimant' in data && data.claimant !== null) yield data.claimant;
  }
}

function unnamed(timeline: Timeline, tenant: Tenant): LedgerError {
  const { kind } = tenant;
  const names = new Set<string>();
  if (kind === 'vm') for (const id of claimantsIn(timeline)) names.add(wordOf({ kind, id }));
  for (const span of allSpans(timeline)) {
    if (span.pid === KERNEL_PID) continue;
    for (const other of tenantsOf(span)) if (other.kind === kind) names.add(wordOf(other));
  }
  const near = nearestClause(wordOf(tenant), names);
  return new LedgerError('unknown-subject', `this log names no tenant ${wordOf(tenant)}${near}`);
}

function usedTwice(one: ProcessSpan, other: ProcessSpan): RequestError {
  const [before = one, after = other] = [one, other].toSorted((a, b) => a.from - b.from);
  const { pid } = one;
  return new RequestError(
    `pid:${pid} was two processes in this range: ${before.comm}[${pid}] up to position ` +
      `${before.to ?? after.from}, and ${after.comm}[${pid}] from position ${after.from} on; ` +
      'leave one out with --from and --to',
  );
}

function inCommon(one: Tenant, other: Tenant, { comm, pid, from }: ProcessSpan): RequestError {
  return new RequestError(
    `${wordOf(one)} and ${wordOf(other)} have a process in common: ` +
      `${comm}[${pid}] from position ${from} on`,
  );
}
