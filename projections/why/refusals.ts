/**
 * `why`: finds refusals, and explains them.
 *
 * @module
 */
import { LedgerError } from '../../events/ledger-error.ts';
import type { DataOf, Placed } from '../../events/vocabulary.ts';
import type { Cause } from '../../machines/causes.ts';
import { rowOf } from '../../operations/table.ts';
import { inTheCall } from '../index/open-refusals.ts';
import type { RefusalAt } from '../index/segment.ts';
import { becauseOf } from './because.ts';
import { candidatesOf, placeOf, type RefusedAt } from './candidates.ts';
import { wouldPassAfter, type JudgedRefusal } from './counterfactual.ts';
import type { Position } from '../shapes.ts';
import { keyOf, type Subject } from '../subjects.ts';
import { timed } from '../timed.ts';
import type { Timeline } from '../timeline.ts';
import { keepers } from '../views.ts';
import type { Why } from './why.ts';

/** `Why` without sentences and commands, which `words/answers.ts` adds. */
export interface ExplainedRefusal extends Omit<Why, 'summary' | 'candidates'> {
  /** The causes that it may have; empty if `cause` is known. */
  readonly candidates: readonly Cause[];
  readonly place: RefusedAt | null;
}

/** Explains the refusal at a position. Throws `not-a-refusal` if the event there is none. */
export function explainRefusal(timeline: Timeline, position: number): ExplainedRefusal {
  const { found, refused, passesAfter } = judgedRefusal(timeline, position);
  const event = timeline.at(position);
  const isUnknown = event.type === 'operation.refused' && found.cause === 'unknown';
  const candidates = isUnknown ? candidatesOf(timeline, position, event.data) : [];
  const place = isUnknown && candidates.length > 0 ? placeOf(timeline, position, event.data) : null;
  const because = refused === null ? [] : becauseOf(timeline, refused);
  const passes = { wouldPassAfter: passesAfter() };
  return timed(timeline, { ...found, candidates, place, because, ...passes });
}

/** A refusal as the index has it, without what has to be played. */
interface IndexedRefusal {
  readonly found: Pick<Why, 'position' | 'operation' | 'errno' | 'cause' | 'blocker'>;
  /** Null if other events could not have prevented it, and cannot end it. */
  readonly refused: JudgedRefusal | null;
  /** `wouldPassAfter`; the history is played only where the index is `unsure`. */
  readonly passesAfter: () => Position;
}

/** Looks up the refusal at a position. Throws `not-a-refusal` if the event there is none. */
export function judgedRefusal(timeline: Timeline, position: number): IndexedRefusal {
  const event = position < 0 ? undefined : timeline.at(position);
  if (event?.type !== 'operation.refused') {
    const what = event === undefined ? 'there is no event' : `'${event.type}'`;
    throw new LedgerError('not-a-refusal', `position ${position} is not a refusal: ${what}`);
  }
  const { operation, errno } = event.data;
  const refusal = timeline.refusalAt(position);
  const judged = causeOf(refusal);
  const blocker = errno === null ? blockerNamed(event.data) : judged.blocker;
  const found = { position, operation, errno, cause: judged.cause, blocker };
  const { cause } = found;
  if (refusal === null || !isMadeByEvents(timeline, event, refusal)) {
    return { found, refused: null, passesAfter: () => null };
  }
  const refused = { position, call: event.data, cause, blocker: blocker?.file ?? null };
  const passesAfter = (): Position => {
    const after = refusal.passesAfter();
    return after === 'unsure' ? wouldPassAfter(timeline, refused) : after;
  };
  return { found, refused, passesAfter };
}

/** What is in the way by the words of a program; null if it names nothing. */
function blockerNamed({ blocker }: DataOf<'operation.refused'>): Why['blocker'] {
  return blocker === undefined
    ? null
    : { kind: blocker.kind, file: null, driver: null, holders: [], subject: blocker.id };
}

type RefusedEvent = Extract<Placed, { readonly type: 'operation.refused' }>;

/**
 * Whether events have made a refusal, so that others could have prevented it or may end it. None
 * have if a program concluded it. If the host was not recorded completely, or the evidence names the
 * cause, it may not follow from the rules on the host as it is known.
 */
export function isMadeByEvents(
  timeline: Timeline,
  { position, data }: Pick<RefusedEvent, 'position' | 'data'>,
  { cause, isByTheRules }: Pick<RefusalAt, 'cause' | 'isByTheRules'>,
): boolean {
  if (data.errno === null || inTheCall.has(cause)) return false;
  const boot = timeline.at(timeline.bootBefore(position));
  const isWhole = boot.type !== 'host.booted' || boot.data.evidence === undefined;
  return (isWhole && data.cause === undefined) || isByTheRules;
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
  const shared = timeline.known
    .groupsOf(subject.id)
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
