/**
 * Answers that carry sentences beside their data, made of what projections have found: a cause has
 * its `summary`.
 *
 * @module
 */
import type { Activity } from '../projections/activity.ts';
import type { FoundActivity } from '../projections/leaks.ts';
import type { Why } from '../projections/shapes.ts';
import type { ExplainedRefusal } from '../projections/why/refusals.ts';
import { causeWords } from './causes.ts';

/** The answer of `why`. */
export function whyAnswer(found: ExplainedRefusal): Why {
  const { blocker, because, wouldPassAfter, ...refusal } = found;
  const summary = causeWords(refusal.cause);
  return { ...refusal, summary, blocker, because, wouldPassAfter };
}

/** The answer of `between`. */
export function activityAnswer(found: FoundActivity): Activity {
  const refused = found.refused.map(({ operation, errno, cause, ...caller }) => {
    return { operation, errno, cause, summary: causeWords(cause), ...caller };
  });
  return { ...found, refused };
}
