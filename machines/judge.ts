/**
 * Judges a question by the rules of a kernel: the first check that fails gives errno, cause and
 * blocker.
 *
 * @module
 */
import type { Operation } from '../events/vocabulary.ts';
import type { Blocker, Check, FatalCheck, Question } from './check.ts';
import type { Cause, ObservedCause } from './causes.ts';
import type { KernelRules } from './machines.ts';

/** A refusal by the rules, from the check that failed. */
export interface Refusal {
  readonly errno: string;
  readonly cause: Cause;
  /** The name of the check that failed. */
  readonly check: string;
  readonly source: string;
  readonly blocker: Blocker | null;
}

/** Why an attempt was refused: the cause, and the refusal by the rules if they give that cause. */
export interface Explanation {
  readonly cause: ObservedCause;
  readonly refusal: Refusal | null;
  /**
   * Whether the rules refuse the attempt for that cause in the state of the host; undefined if the
   * cause came in another way.
   */
  readonly isByTheRules?: boolean;
}

/** Judges a question: the refusal of the first check that fails, or null if all hold. */
export function judge(rules: KernelRules, question: Question): Refusal | null {
  const failed = firstFailing(rules, question);
  return failed === undefined ? null : refusal(failed, question);
}

/** The first check of a question that fails; undefined if all hold. */
export function firstFailing(rules: KernelRules, question: Question): Check | undefined {
  const { checks } = rules.operations[question.call.operation];
  return checks.find((check) => !holds(rules, check, question));
}

/** Whether the kernel dies of a call that no check refuses. */
export function isFatal({ operations, machines }: KernelRules, question: Question): boolean {
  const { fatal } = operations[question.call.operation];
  return fatal.some((check) => !machineHolds({ machines }, check, question));
}

/**
 * As `judge`, for a call that was observed to pass. It skips the checks that the log cannot decide
 * (`unseen`) and those that the call may have avoided (`avoidable`).
 */
export function objection(rules: KernelRules, question: Question): Refusal | null {
  const { checks } = rules.operations[question.call.operation];
  const failed = checks.find((check) => isSeen(check) && !holds(rules, check, question));
  return failed === undefined ? null : refusal(failed, question);
}

/**
 * Explains an observed errno. The cause comes from the rules' own refusal if it has that errno. If
 * the rules refuse nothing, it comes from an `unseen` check that explains that errno. Otherwise it
 * is `unknown`.
 */
export function explain(rules: KernelRules, question: Question, errno: string): Explanation {
  const refused = judge(rules, question);
  if (refused?.errno === errno) {
    return { cause: refused.cause, refusal: refused, isByTheRules: true };
  }
  // The log does not hold what an `unseen` check decides on: the errno is evidence enough.
  const { checks } = rules.operations[question.call.operation];
  const unseen = checks.find(
    (check) => check.errno === errno && isUnseen(check) && explainsUnseen(check, question),
  );
  if (refused !== null || unseen === undefined) {
    return { cause: 'unknown', refusal: null, isByTheRules: false };
  }
  return { cause: unseen.cause, refusal: refusal(unseen, question), isByTheRules: false };
}

/** Whether what the log does not hold can decide that the operation fails with this errno. */
export function hasUnseenCheck(rules: KernelRules, operation: Operation, errno: string): boolean {
  return rules.operations[operation].checks.some(
    (check) => check.errno === errno && isUnseen(check),
  );
}

/** Whether the operation has a check that gives this errno for one of these causes. */
export function mayMean(
  rules: KernelRules,
  operation: Operation,
  errno: string,
  causes: ReadonlySet<ObservedCause>,
): boolean {
  const { checks } = rules.operations[operation];
  return checks.some((check) => check.errno === errno && causes.has(check.cause));
}

/**
 * Whether a refusal depends only on the call and its own files: up to the check that failed, no
 * check with its errno asks the group or the device.
 */
export function isOfItself(
  rules: KernelRules,
  operation: Operation,
  { check: name, errno }: Refusal,
): boolean {
  const { checks } = rules.operations[operation];
  const same = checks.filter((check) => check.errno === errno);
  const at = same.findIndex((check) => check.name === name);
  return same.slice(0, at + 1).every(({ asks }) => asks !== 'group' && asks !== 'device');
}

/** Whether a call that passed shows that the check held. */
function isSeen(check: Check): boolean {
  return !isUnseen(check) && !('avoidable' in check && check.avoidable === true);
}

function isUnseen(check: Check): boolean {
  return 'unseen' in check && check.unseen === true;
}

function explainsUnseen(check: Check, question: Question): boolean {
  return !('explains' in check) || check.explains?.(question) !== false;
}

function refusal(check: Check, question: Question): Refusal {
  const { errno, cause, name, source } = check;
  return { errno, cause, check: name, source, blocker: check.blocker?.(question) ?? null };
}

export function holds(rules: KernelRules, check: Check, question: Question): boolean {
  return 'holds' in check ? check.holds(question) : machineHolds(rules, check, question);
}

/** Whether a machine's check holds; it does if the call does not concern the machine. */
function machineHolds(
  rules: Pick<KernelRules, 'machines'>,
  check: FatalCheck,
  question: Question,
): boolean {
  const asked = question[check.asks];
  if (asked === undefined) return true;
  if (check.in !== undefined && !check.in.includes(asked.state)) return true;
  const event = question.events[check.asks];
  if (check.guard === undefined || event === undefined) return check.guard !== undefined;
  const guard = rules.machines[check.asks].machine.implementations.guards[check.guard];
  return (guard as (args: unknown) => boolean)({ context: asked.record, event });
}
