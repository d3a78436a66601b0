/**
 * Answers that carry sentences beside their data, made of what projections have found: `summary` says
 * a cause, `detail` how it stands.
 *
 * @module
 */
import type { Activity } from '../projections/activity.ts';
import type { FoundViolation } from '../projections/audit/violations.ts';
import type { FoundWhere, SeenRow } from '../projections/bisect-where.ts';
import type { FoundActivity } from '../projections/leaks.ts';
import type { Bisection, Why } from '../projections/shapes.ts';
import type { ExplainedRefusal } from '../projections/why/refusals.ts';
import { causeWords } from './causes.ts';
import { violationWords } from './invariants.ts';

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

/** The answer of `bisect` to where an invariant is first violated; null where it never is. */
export function violationAnswer<E>(found: FoundViolation<E> | null): Bisection<E> | null {
  if (found === null) return null;
  const { violation, cause, prefix, ...first } = found;
  return { ...first, detail: violationWords(violation), cause, prefix };
}

/** The answer of `bisect` to where an expression first holds; null where it never does. */
export function whereAnswer<E>(found: FoundWhere<E> | null): Bisection<E> | null {
  if (found === null) return null;
  const { rows, cause, prefix, ...first } = found;
  return { ...first, detail: [...new Set(rows.map(rowWords))].join('; '), cause, prefix };
}

/** How a row stands: `group 26: owner.kind iommufd, holders.comm [qemu]`. */
function rowWords({ kind, id, paths }: SeenRow): string {
  if (paths === null) return `there is no ${kind} ${id}`;
  const values = paths.map(({ path, values }) => `${path} ${valueWords(values)}`);
  return `${kind} ${id}: ${values.join(', ')}`;
}

function valueWords(values: readonly unknown[]): string {
  const words = values.map((value) =>
    typeof value === 'object' && value !== null ? 'is there' : String(value),
  );
  return words.length === 1 ? words.join('') : `[${words.join(', ')}]`;
}
