/**
 * Adds sentences to the answers of projections: `summary` says a cause, `detail` how a row stands or
 * an invariant is violated.
 *
 * @module
 */
import type { Activity } from '../projections/activity.ts';
import type { FoundViolation } from '../projections/audit/violations.ts';
import type { FoundWhere, SeenRow } from '../projections/bisect-where.ts';
import type { FoundActivity } from '../projections/leaks.ts';
import type { Bisection } from '../projections/shapes.ts';
import type { ExplainedRefusal } from '../projections/why/refusals.ts';
import type { Candidate, Why } from '../projections/why/why.ts';
import { commandFor } from './candidates.ts';
import { causeWords } from './causes.ts';
import { violationWords } from './invariants.ts';

/** The answer of `why`. */
export function whyAnswer(found: ExplainedRefusal): Why {
  const { candidates: causes, place, blocker, because, ...others } = found;
  const { wouldPassAfter, wouldPassAfterTime, ...refusal } = others;
  const { cause, operation } = refusal;
  const candidates = causes.map((candidate): Candidate => ({
    cause: candidate,
    summary: causeWords(candidate, operation),
    next: commandFor(candidate, place),
  }));
  const summary = candidates.length > 0 ? OPEN : causeWords(cause, operation);
  const passes = { wouldPassAfter, wouldPassAfterTime };
  return { ...refusal, summary, candidates, blocker, because, ...passes };
}

/** The summary of a refusal that has candidates. */
const OPEN = 'the evidence does not tell which of several causes it is';

/** The answer of `between`. */
export function activityAnswer(found: FoundActivity): Activity {
  const refused = found.refused.map(({ operation, errno, cause, ...others }) => {
    return { operation, errno, cause, summary: causeWords(cause), ...others };
  });
  return { ...found, refused };
}

/** A `Bisection` without its coverage. */
type UncoveredBisection<E> = Omit<Bisection<E>, 'coverage'>;

/** The answer of `bisect` to where an invariant is first violated; null where it never is. */
export function violationAnswer<E>(found: FoundViolation<E> | null): UncoveredBisection<E> | null {
  if (found === null) return null;
  const { violation, cause, prefix, ...first } = found;
  return { ...first, detail: violationWords(violation), cause, prefix };
}

/** The answer of `bisect` to where an expression first holds; null where it never does. */
export function whereAnswer<E>(found: FoundWhere<E> | null): UncoveredBisection<E> | null {
  if (found === null) return null;
  const { rows, cause, prefix, ...first } = found;
  return { ...first, detail: [...new Set(rows.map(rowWords))].join('; '), cause, prefix };
}

/** The values that an expression tested: `group 26: owner.kind iommufd, holders.comm [qemu]`. */
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
