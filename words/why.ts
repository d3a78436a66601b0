/**
 * The explanation of a refusal.
 *
 * @module
 */
import type { Why } from '../projections/why/why.ts';
import { titled, type Line } from './columns.ts';
import { sentence, type History } from './events.ts';
import { holderRows } from './owners.ts';

/** Lines: what was refused, its cause, what was in the way, which events led to it, until when. */
export function whyWords(found: Why, history: History): Line[] {
  const { position, errno, cause, summary, candidates, blocker, because, wouldPassAfter } = found;
  const time = history.event(position)?.time ?? null;
  const tone = cause === 'unknown' ? 'unknown' : 'refusal';
  const reasons = because.map((reason) => [String(reason), sentence(history, reason)]);
  return [
    `position ${position}${time === null ? '' : `, ${time}`}: ${sentence(history, position)}`,
    ['cause: ', { text: cause, tone }, ` (${summary})`],
    ...candidateWords(candidates),
    ...(blocker === null ? [] : blockerWords(blocker)),
    ...titled('because of:', reasons),
    ...(errno === null ? [] : remedyWords(cause, wouldPassAfter, history)),
  ];
}

/** The causes that it may have, and which command tells of which. */
function candidateWords(candidates: Why['candidates']): Line[] {
  const causes = candidates.map(({ cause, summary }) => [cause, summary]);
  const commands = [...Map.groupBy(candidates, ({ next }) => next)].map(([next, told]) => [
    next,
    told.map(({ cause }) => cause).join(', '),
  ]);
  return [...titled('it may be:', causes), ...titled('these commands tell:', commands)];
}

function blockerWords(blocker: NonNullable<Why['blocker']>): Line[] {
  const { kind, file, driver, holders, subject } = blocker;
  const which = file ?? subject ?? null;
  const what = driver === null ? [kind, ...(which === null ? [] : [which])] : ['driver', driver];
  const inTheWay = `in the way: ${what.join(' ')}`;
  if (holders.length === 0) return [inTheWay];
  return titled(`${inTheWay}, kept alive by`, holderRows(holders));
}

function remedyWords(
  cause: Why['cause'],
  wouldPassAfter: Why['wouldPassAfter'],
  history: History,
): string[] {
  // Without a cause it is not known what would let the call pass.
  if (cause === 'unknown') return [];
  if (wouldPassAfter === null) return ['it would not pass at any later position of this log'];
  return [`it would pass after ${wouldPassAfter}: ${sentence(history, wouldPassAfter)}`];
}
