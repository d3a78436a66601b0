/**
 * Judges whether everything that was opened between two moments was released.
 *
 * @module
 */
import type { Activity } from '../projections/activity.ts';
import type { Position } from '../projections/shapes.ts';
import type { Subject } from '../projections/subjects.ts';
import {
  closeLines,
  expectedOf,
  gotNone,
  leakLines,
  rangeWords,
  titleWords,
  unknownReasons,
} from '../words/failures.ts';
import { originOf } from '../ledger/origins.ts';
import type { AskedPast } from './subjects.ts';
import { isActivity } from './subjects.ts';
import { storyOf, type StoryPlace } from '../ledger/story.ts';
import { allowsUnknown, unjudged, type Judged, type UnknownOption } from './verdict.ts';

const ACTIVITY = 'it takes what ledger.between(…), during(…) or runRecorded(…) answers';

/** Whether no file that was opened is still open. */
export function judgeRelease(activity: Activity, options: UnknownOption | undefined): Judged {
  const matcher = 'toReleaseEverything';
  if (!isActivity(activity)) return unjudged(matcher, ACTIVITY);
  const { leaks, from, to } = activity;
  const past = originOf(activity)?.past ?? null;
  const reason = allowsUnknown(options) ? null : unknownOf(activity, past);
  const tell = (isNot: boolean) => {
    const isLeak = leaks.length > 0;
    const got = isLeak ? leakLines(leaks) : [gotNone.leak];
    return storyOf(
      {
        title: titleWords(matcher, isNot, rangeWords(from, to)),
        expected: expectedOf.release(isNot),
        reason,
        got,
        facts: [],
        remedy: closeLines(leaks),
      },
      past === null ? null : placeOf(activity, past),
    );
  };
  const isReleased = leaks.length === 0;
  const holds = reason !== null ? 'not-known' : isReleased ? 'yes' : 'no';
  const actual = leaks.map(({ kind, device, group, file }) => ({ kind, device, group, file }));
  return { holds, tell, actual, expected: [] };
}

/** Why it is not known who holds what at one of the two moments; null if it is known. */
function unknownOf({ logEnds, owned, from, to }: Activity, past: AskedPast | null): string | null {
  if (logEnds !== undefined) return unknownReasons.after;
  if (past === null) {
    const isUnknown = owned.some(({ owner }) => owner.kind === 'unknown');
    return isUnknown ? unknownReasons.copiedOwner : null;
  }
  for (const [end, at] of [
    ['from', from],
    ['to', to],
  ] as const) {
    if (past.knowsHolders(positionOf(at, past))) continue;
    const when = at ?? 'start';
    return unknownReasons.moment(end, past.coverage({ from: when, to: when }));
  }
  return null;
}

/** At the start it is the state after the first event, as coverage has it. */
function positionOf(at: Position, { first }: AskedPast): number {
  return at ?? first;
}

/** The event by which the last holder got the file matters: often a fork, or a pass to another process. */
function placeOf({ leaks, to }: Activity, past: AskedPast): StoryPlace {
  const leak = leaks.find(({ kind }) => kind === 'device' || kind === 'group') ?? leaks[0];
  const ask = (until: number) => {
    const at = String(Math.min(to ?? 0, until));
    return leak === undefined ? ['table', '--at', at] : ['who', leak.file, '--at', at];
  };
  if (leak === undefined || to === null) return { past, matters: to, subject: null, ask };
  const { group, file, position } = leak;
  const got = past
    .at(to)
    .lineage(file)
    .flatMap(({ chain }) => chain.map((step) => step.position));
  const subject: Subject =
    group === null ? { kind: 'file', id: file } : { kind: 'group', id: group };
  return { past, matters: Math.max(position, ...got), subject, ask };
}
