/**
 * Explains recorded refusals: the cause by the rules, as far as the evidence shows the host, the file
 * and the arguments of the call.
 *
 * @module
 */
import type { Attempt, DataOf } from '../events/vocabulary.ts';
import { rowOf } from '../operations/table.ts';
import { positionOf, type FileId } from '../processes/process-table.ts';
import type { MachineName } from './admission.ts';
import { isCause } from './causes.ts';
import type { Question } from './check.ts';
import { explain, isOfItself, judge, type Explanation, type Refusal } from './judge.ts';
import type { Kernel } from './kernel.ts';
import { isBeyondJudging, onlyCause } from './operations.ts';
import { hypotheses, isComplete, isFileShown } from './unshown-arguments.ts';
import { NAMELESS } from './unshown.ts';

/** Explains a recorded refusal in the current state. */
export function explainRefused(host: Kernel, refused: DataOf<'operation.refused'>): Explanation {
  const { errno, cause } = refused;
  const isNamed = cause !== undefined && isCause(cause);
  // What a program concluded is no answer of the kernel, so there is nothing to judge.
  if (errno === null) return { cause: isNamed ? cause : 'unknown', refusal: null };
  // The line that names the cause knew the file, which the log does not.
  if (isNamed && !isFileShown(refused)) return { cause, refusal: null };
  const explained = explanationOf(host, refused, errno);
  const found = hangsOnFound(host, refused, explained)
    ? explanationByErrno(host, refused, errno)
    : explained;
  // If the boot was not recorded, a device cgroup may have refused the open as well.
  if (host.isAssumed && found.cause === 'needs-cap-sys-rawio')
    return { ...found, cause: 'unknown' };
  return found.cause === 'unknown' && isNamed ? { cause, refusal: null } : found;
}

function explanationOf(host: Kernel, attempt: Attempt, errno: string): Explanation {
  const { rules } = host;
  if (!isFileShown(attempt)) return explanationOnAnyFile(host, attempt, errno);
  const question = host.question(attempt);
  const isKnown = host.knows(question) && !isBeyondJudging(question, attempt);
  if (question.group?.isInDoubt === true && !isBeyondJudging(question, attempt)) {
    const found = explanationInDoubt(host, attempt, question, errno);
    if (found !== null) return found;
  }
  if (isKnown && isComplete(attempt)) {
    const found = explain(rules, question, errno);
    if (found.cause !== 'unknown' || !host.isAssumed) return found;
  }
  // An owner without a name may be the iommufd that was asked for, or another one.
  const isNameless = question.group?.record.owner === NAMELESS;
  const { context } = rowOf(attempt.operation);
  const isUnseen = context === 'given' && question.argument === undefined;
  const isOpen = !isComplete(attempt) || isNameless || isUnseen;
  const may = isKnown && isOpen ? hypotheses(host, attempt) : [];
  const refusals = may
    .map((asked) => judge(rules, asked))
    .filter((refusal) => refusal?.errno === errno);
  const [refusal = null, ...others] = refusals;
  if (refusal !== null && others.every((other) => other?.cause === refusal.cause)) {
    return { cause: refusal.cause, refusal };
  }
  return explanationByErrno(host, attempt, errno);
}

/** Whether the check that failed asked a file that was open before the evidence begins. */
function hangsOnFound(host: Kernel, attempt: Attempt, { refusal }: Explanation): boolean {
  if (refusal === null || !host.isAssumed) return false;
  const { checks } = host.rules.operations[attempt.operation];
  const asks = checks.find(({ name }) => name === refusal.check)?.asks;
  const asked = host.question(attempt)[asks as MachineName];
  return asked !== undefined && 'isFound' in asked && asked.isFound === true;
}

/** Explains an errno by the operation alone: it has a cause if it can have only one. */
function explanationByErrno(host: Kernel, { operation }: Attempt, errno: string): Explanation {
  const cause = onlyCause(operation, errno, host.possibleProfiles) ?? 'unknown';
  return { cause, refusal: null };
}

/**
 * Explains a call whose file is not shown: it is judged on every file that it may have been made
 * on. All answers with the observed errno must give the same cause.
 */
function explanationOnAnyFile(host: Kernel, attempt: Attempt, errno: string): Explanation {
  const may = hypotheses(host, attempt);
  const canTell = (asked: Question): boolean =>
    host.knows(asked) && asked.group?.isInDoubt !== true && !isBeyondJudging(asked, attempt);
  // The file's open may not have been recorded; it was not if the process has none.
  const hasFiles = may.some(({ file }) => file !== undefined && file.kind !== 'other');
  if (host.isAssumed || !hasFiles || !may.every(canTell)) {
    return explanationByErrno(host, attempt, errno);
  }
  const found = may
    .map((asked) => explain(host.rules, asked, errno))
    .filter(({ cause }) => cause !== 'unknown');
  const [first] = found;
  if (first === undefined || found.some(({ cause }) => cause !== first.cause)) {
    return { cause: 'unknown', refusal: null };
  }
  const isSure = found.every(({ refusal }) => isSameBlocker(refusal, first.refusal));
  const { cause, refusal } = first;
  if (isSure || refusal === null) return { cause, refusal };
  return { cause, refusal: { ...refusal, blocker: null } };
}

/**
 * Explains a refusal on a group in doubt: by a blocker whose open was recorded, or by the call
 * itself. Null if neither explains it. A blocker that may have been released in a gap explains nothing.
 */
function explanationInDoubt(
  host: Kernel,
  attempt: Attempt,
  question: Question,
  errno: string,
): Explanation | null {
  const may = isComplete(attempt) ? [question] : hypotheses(host, attempt);
  const refusals = may
    .map((asked) => judge(host.rules, asked))
    .filter((refusal) => refusal?.errno === errno);
  const [refusal = null] = refusals;
  const lostAt = question.group?.lostAt ?? -1;
  const isThere = (file: FileId | null) => file !== null && positionOf(file) > lostAt;
  const isSure = refusals.every(
    (other) =>
      other !== null &&
      other.cause === refusal?.cause &&
      (isThere(other.blocker?.file ?? null) || isOfItself(host.rules, attempt.operation, other)),
  );
  return refusal === null || !isSure ? null : { cause: refusal.cause, refusal };
}

function isSameBlocker(a: Refusal | null, b: Refusal | null): boolean {
  const [one, other] = [a?.blocker ?? null, b?.blocker ?? null];
  return one?.file === other?.file && one?.driver === other?.driver;
}
