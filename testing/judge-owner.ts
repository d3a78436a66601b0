/**
 * Judges the owner and the holders of an answer about one moment.
 *
 * @module
 */
import type { Holder, Position } from '../projections/shapes.ts';
import {
  expectedHolder,
  expectedOwner,
  gotHolders,
  gotOwner,
  notKnown,
  ownerChangeLine,
  refusalLines,
  sinceLine,
  subjectAt,
  titleWords,
  unknownReasons,
} from '../words/failures.ts';
import type { Line } from '../words/columns.ts';
import { anyHolder, noHolderPattern, type HolderPattern, type Tristate } from './patterns.ts';
import { lastRefusal, storyOf, type StoryPlace } from '../ledger/story.ts';
import { aboutOf, holdersOf, isHeld, isOwned, isStateUnknown, type About } from './subjects.ts';
import type { HeldAnswer, OwnedAnswer } from './subjects.ts';
import { allowsUnknown, unjudged, type Judged, type UnknownOption } from './verdict.ts';

const OWNED = 'it takes a device or a group at a moment, such as ledger.at(41).device(…)';

const UNKNOWN = 'toHaveUnknownOwner';

/** What was asked of an owner, and found. */
interface OwnerFinding {
  readonly matcher: string;
  readonly answer: OwnedAnswer;
  readonly holds: Tristate;
  /** Why it is not known. */
  readonly reason: string | null;
  readonly expected: (isNot: boolean) => string;
  readonly got: readonly Line[];
}

/** Whether one of the holders that keep the owner alive matches. */
export function judgeOwnedBy(
  answer: OwnedAnswer,
  pattern: HolderPattern,
  options: UnknownOption | undefined,
): Judged {
  const matcher = 'toBeOwnedBy';
  const wrong = isOwned(answer) ? noHolderPattern(pattern) : OWNED;
  if (wrong !== null) return unjudged(matcher, wrong);
  const { holders } = answer.owner;
  const found = judgeHolders(answer, holders, pattern, allowsUnknown(options));
  return toldHolder({ matcher, of: 'owner', answer, holders, pattern, found });
}

/** Whether one of the holders of the open files matches. */
export function judgeHeldBy(
  answer: HeldAnswer,
  pattern: HolderPattern,
  options: UnknownOption | undefined,
): Judged {
  const matcher = 'toBeHeldBy';
  const wrong = isHeld(answer) ? noHolderPattern(pattern) : OWNED;
  if (wrong !== null) return unjudged(matcher, wrong);
  const holders = holdersOf(answer);
  const isAllowed = allowsUnknown(options);
  const unseen = !isAllowed && answer.owner.kind !== 'unknown' && isStateUnknown(answer);
  const found = unseen
    ? ({ holds: 'not-known', reason: unknownReasons.state } as const)
    : judgeHolders(answer, holders, pattern, isAllowed);
  return toldHolder({ matcher, of: 'file', answer, holders, pattern, found });
}

/** What was found about a holder that was expected. */
interface HolderFinding extends Pick<OwnerFinding, 'matcher' | 'answer'> {
  readonly of: 'owner' | 'file';
  readonly holders: readonly Holder[];
  readonly pattern: HolderPattern;
  readonly found: Pick<OwnerFinding, 'holds' | 'reason'>;
}

function toldHolder({ matcher, of, answer, holders, pattern, found }: HolderFinding): Judged {
  const expected = (isNot: boolean) => expectedHolder(pattern, of, isNot);
  const judged = told({ matcher, answer, expected, got: gotHolders(holders), ...found });
  return { ...judged, actual: holders, expected: pattern };
}

/** Whether nobody owns it. Kernel drivers are owners. */
export function judgeUnowned(answer: OwnedAnswer, options: UnknownOption | undefined): Judged {
  const matcher = 'toBeUnowned';
  if (!isOwned(answer)) return unjudged(matcher, OWNED);
  const { kind } = answer.owner;
  const isUnknown = kind === 'unknown' && !allowsUnknown(options);
  const holds = isUnknown ? 'not-known' : kind === 'none' ? 'yes' : 'no';
  const reason = isUnknown ? ownerReason(answer) : null;
  const expected = expectedOwner.unowned;
  return {
    ...told({ matcher, answer, expected, got: gotOwner(answer.owner), holds, reason }),
    actual: kind,
    expected: 'none',
  };
}

/** Whether its owner is unknown: the evidence has a hole there. */
export function judgeUnknownOwner(answer: OwnedAnswer): Judged {
  const matcher = UNKNOWN;
  if (!isOwned(answer)) return unjudged(matcher, OWNED);
  const { kind } = answer.owner;
  const holds = kind === 'unknown' ? 'yes' : 'no';
  const got = kind === 'unknown' ? notKnown(ownerReason(answer)) : gotOwner(answer.owner);
  const expected = expectedOwner.unknown;
  return {
    ...told({ matcher, answer, expected, got, holds, reason: null }),
    actual: kind,
    expected: 'unknown',
  };
}

function judgeHolders(
  answer: OwnedAnswer,
  holders: readonly Holder[],
  pattern: HolderPattern,
  isAllowed: boolean,
): Pick<OwnerFinding, 'holds' | 'reason'> {
  if (answer.owner.kind === 'unknown' && !isAllowed) {
    return { holds: 'not-known', reason: ownerReason(answer) };
  }
  const holds = anyHolder(holders, pattern);
  if (holds !== 'not-known') return { holds, reason: null };
  return isAllowed ? { holds: 'no', reason: null } : { holds, reason: unknownReasons.holder };
}

/** Why the owner of an answer is unknown. */
function ownerReason(answer: OwnedAnswer): string {
  const { origin, word } = aboutOf(answer);
  if (origin === undefined) return unknownReasons.copiedOwner;
  const { past, position } = origin;
  const unknown = past.at(position < 0 ? 'start' : position).whyUnknown(word);
  return unknownReasons.owner(unknown?.reason ?? null);
}

function told({ matcher, answer, holds, reason, expected, got }: OwnerFinding): Judged {
  const tell = (isNot: boolean) => {
    const about = aboutOf(answer);
    const at = about.origin === undefined ? undefined : momentOf(about.origin);
    const title = titleWords(matcher, isNot, subjectAt(about.name, at?.position, at?.time ?? null));
    const place = placeOf(about);
    const owner = sinceLine(answer.owner, about.since, about.sinceTime);
    return storyOf(
      {
        title,
        expected: expected(isNot),
        reason,
        got,
        facts: owner,
        remedy: place === null ? [] : remedyOf(about, place, !isNot && matcher !== UNKNOWN),
      },
      place,
    );
  };
  return { holds, tell };
}

function momentOf({ past, position }: NonNullable<About['origin']>) {
  if (position < 0) return { position: null, time: null };
  return { position, time: past.event(position)?.time ?? null };
}

/** The event that gave it its owner matters, or if that is not known, the last one. */
function placeOf({ origin, since, subject, word }: About): StoryPlace | null {
  if (origin === undefined) return null;
  const { past, position } = origin;
  const last = position < 0 ? null : (past.lastEvents(position, 1, subject)[0]?.position ?? null);
  const ask = (until: number) => {
    const at = Math.min(position, until);
    return ['who', word, '--at', at < 0 ? 'start' : String(at)];
  };
  return { past, matters: since ?? last, subject, ask };
}

/** When the owner changes, and if another was wanted, why an attempt was refused last. */
function remedyOf(
  { origin, subject, word }: About,
  { past }: StoryPlace,
  wantsOther: boolean,
): Line[] {
  if (origin === undefined || subject?.kind !== 'group') return [];
  const { position } = origin;
  const refused = wantsOther ? lastRefusal(past, word, position) : null;
  const change: Position = past.ownerChange(subject.id, position);
  return [ownerChangeLine(change, past), ...(refused === null ? [] : refusalLines(refused, past))];
}
