/**
 * `why`: finds refusals, and explains them.
 *
 * @module
 */
import { LedgerError } from '../../events/ledger-error.ts';
import type { Attempt, DataOf, Placed } from '../../events/vocabulary.ts';
import type { Cause } from '../../machines/causes.ts';
import { rowOf } from '../../operations/table.ts';
import { inTheCall } from '../index/open-refusals.ts';
import type { RefusalAt } from '../index/segment.ts';
import { becauseOf } from './because.ts';
import { candidatesOf, placeOf, type RefusedAt } from './candidates.ts';
import { wouldPassAfter } from './counterfactual.ts';
import type { Why } from '../shapes.ts';
import { keyOf, type Subject } from '../subjects.ts';
import type { Timeline } from '../timeline.ts';
import { keepers } from '../views.ts';

/** `Why` without sentences and commands, which `words/answers.ts` adds. */
export interface ExplainedRefusal extends Omit<Why, 'summary' | 'candidates'> {
  /** The causes that it may have; empty if `cause` is known. */
  readonly candidates: readonly Cause[];
  readonly place: RefusedAt | null;
}

/** Explains the refusal at a position. Throws `not-a-refusal` if the event there is none. */
export function explainRefusal(timeline: Timeline, position: number): ExplainedRefusal {
  const event = position < 0 ? undefined : timeline.at(position);
  if (event?.type !== 'operation.refused') {
    const what = event === undefined ? 'there is no event' : `'${event.type}'`;
    throw new LedgerError('not-a-refusal', `position ${position} is not a refusal: ${what}`);
  }
  const { operation, errno } = event.data;
  const call: Attempt = event.data;
  const refusal = timeline.refusalAt(position);
  const explained = { position, operation, errno, ...causeOf(refusal) };
  const { cause } = explained;
  const candidates = cause === 'unknown' ? candidatesOf(timeline, position, event.data) : [];
  const place = candidates.length === 0 ? null : placeOf(timeline, position, event.data);
  const found = { ...explained, candidates, place };
  if (errno === null) {
    return { ...found, blocker: blockerNamed(event.data), because: [], wouldPassAfter: null };
  }
  const isNamed = event.data.cause !== undefined;
  if (refusal === null || inTheCall.has(cause) || !isMade(timeline, position, refusal, isNamed)) {
    return { ...found, because: [], wouldPassAfter: null };
  }
  const refused = { position, call, cause, blocker: found.blocker?.file ?? null };
  const after = refusal.passesAfter();
  return {
    ...found,
    because: becauseOf(timeline, refused),
    wouldPassAfter: after === 'unsure' ? wouldPassAfter(timeline, refused) : after,
  };
}

/** What is in the way by the words of a program; null if it names nothing. */
function blockerNamed({ blocker }: DataOf<'operation.refused'>): Why['blocker'] {
  return blocker === undefined
    ? null
    : { kind: blocker.kind, file: null, driver: null, holders: [], subject: blocker.id };
}

/**
 * Whether known events have made the cause. If the host was not recorded completely, or the evidence
 * itself names the cause, it may follow from the errno alone, and not from the rules on the host as
 * it is known.
 */
function isMade(
  timeline: Timeline,
  position: number,
  { isByTheRules }: RefusalAt,
  isNamed: boolean,
): boolean {
  const boot = timeline.at(timeline.bootBefore(position));
  const isWhole = boot.type !== 'host.booted' || boot.data.evidence === undefined;
  return (isWhole && !isNamed) || isByTheRules;
}

/** Cause and blocker of the refusal at a position; `unknown` if the rules do not explain it. */
export function causeAt(timeline: Timeline, position: number): Pick<Why, 'cause' | 'blocker'> {
  return causeOf(timeline.refusalAt(position));
}

function causeOf(refusal: ReturnType<Timeline['refusalAt']>): Pick<Why, 'cause' | 'blocker'> {
  const cause = refusal?.cause ?? 'unknown';
  if (refusal === null || refusal.blocker === null) return { cause, blocker: null };
  const { file } = refusal.blocker;
  const holders = file === null ? [] : keepers(refusal.host, [file]);
  return { cause, blocker: { ...refusal.blocker, holders } };
}

/**
 * Position of the last refusal that concerns a subject, up to `until`; null if there is none. The
 * refusal of an operation on a whole group also concerns each device of the group.
 */
export function latestRefusal(timeline: Timeline, subject: Subject, until: number): number | null {
  const isRefusal = (position: number): boolean =>
    timeline.typeAt(position) === 'operation.refused';
  const own = first(timeline.positionsBack(keyOf(subject), until), isRefusal);
  if (subject.kind !== 'device') return own;
  const shared = timeline
    .groupsOfDevice(subject.id)
    .map((group) =>
      first(
        timeline.positionsBack(keyOf({ kind: 'group', id: group }), until),
        (position) =>
          isRefusal(position) &&
          concernsWholeGroup(timeline.at(position)) &&
          timeline.hostAt(position - 1).device(subject.id)?.group === group,
      ),
    );
  const latest = Math.max(...[own, ...shared].map((position) => position ?? -1));
  return latest < 0 ? null : latest;
}

function first(
  positions: Iterable<number>,
  isWanted: (position: number) => boolean,
): number | null {
  for (const position of positions) if (isWanted(position)) return position;
  return null;
}

function concernsWholeGroup(event: Placed): boolean {
  return event.type === 'operation.refused' && rowOf(event.data.operation).isOfGroup;
}
