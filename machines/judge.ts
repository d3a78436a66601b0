/**
 * Judges a question: the first check that fails gives errno, cause and blocker.
 *
 * @module
 */
import type { Operation } from '../events/vocabulary.ts';
import type { Blocker, Check, MachineCheck, Question } from './check.ts';
import type { Cause, ObservedCause } from './causes.ts';
import type { KernelRules } from './machines.ts';

/** What the rules say of an attempt that they turn down. */
export interface Refusal {
  readonly errno: string;
  readonly cause: Cause;
  /** The check that failed. */
  readonly check: string;
  readonly source: string;
  readonly blocker: Blocker | null;
}

/** The refusal, or null where every check holds. */
export function judge(rules: KernelRules, question: Question): Refusal | null {
  const { checks } = rules.operations[question.call.operation];
  const failed = checks.find((check) => !holds(rules, check, question));
  return failed === undefined ? null : refusal(failed, question);
}

/** What the rules have against a call that was seen to pass, whatever way it took. */
export function objection(rules: KernelRules, question: Question): Refusal | null {
  const { checks } = rules.operations[question.call.operation];
  const failed = checks.find((check) => isSeen(check) && !holds(rules, check, question));
  return failed === undefined ? null : refusal(failed, question);
}

/** What explains an errno that was observed: the rules' own refusal, where it agrees. */
export function explain(
  rules: KernelRules,
  question: Question,
  errno: string,
): { readonly cause: ObservedCause; readonly refusal: Refusal | null } {
  const refused = judge(rules, question);
  if (refused?.errno === errno) return { cause: refused.cause, refusal: refused };
  // The log does not hold what some checks look at: there the errno is evidence enough.
  const { checks } = rules.operations[question.call.operation];
  const unseen = checks.find((check) => isUnseen(check) && check.errno === errno);
  if (refused !== null || unseen === undefined) return { cause: 'unknown', refusal: null };
  return { cause: unseen.cause, refusal: refusal(unseen, question) };
}

/** What an errno means of an operation, whoever owns what: the only thing that it stands for. */
export function onlyCause(
  rules: KernelRules,
  operation: Operation,
  errno: string,
): ObservedCause | null {
  const { checks } = rules.operations[operation];
  const found = new Set(checks.filter((check) => check.errno === errno).map(({ cause }) => cause));
  const [only = null, ...others] = found;
  if (only === null && beside.has(errno)) return 'not-ownership';
  return others.length === 0 ? only : null;
}

/** Whether an errno of an operation may have one of these causes, as things may stand. */
export function mayMean(
  rules: KernelRules,
  operation: Operation,
  errno: string,
  causes: ReadonlySet<ObservedCause>,
): boolean {
  const { checks } = rules.operations[operation];
  return checks.some((check) => check.errno === errno && causes.has(check.cause));
}

/** Whether a refusal is of the call and its own files, whoever has the group and its devices. */
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

/** Errnos of memory, descriptors, signals and permissions, which no rule of ownership gives. */
const beside = new Set([
  'EACCES',
  'EINTR',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'ENOSPC',
  'EOVERFLOW',
  'ERESTARTSYS',
  'EROFS',
  'ETIMEDOUT',
]);

/** Whether the log shows that the check stood in the way of an event that it holds. */
function isSeen(check: Check): boolean {
  return !isUnseen(check) && !('avoidable' in check && check.avoidable === true);
}

function isUnseen(check: Check): boolean {
  return 'unseen' in check && check.unseen === true;
}

function refusal(check: Check, question: Question): Refusal {
  const { errno, cause, name, source } = check;
  return { errno, cause, check: name, source, blocker: check.blocker?.(question) ?? null };
}

function holds(rules: KernelRules, check: Check, question: Question): boolean {
  return 'holds' in check ? check.holds(question) : machineHolds(rules, check, question);
}

/** A machine that the call does not concern has nothing against it. */
function machineHolds(rules: KernelRules, check: MachineCheck, question: Question): boolean {
  const asked = question[check.asks];
  if (asked === undefined) return true;
  if (check.in !== undefined && !check.in.includes(asked.state)) return true;
  const event = question.events[check.asks];
  if (check.guard === undefined || event === undefined) return check.guard !== undefined;
  const guard = rules.machines[check.asks].machine.implementations.guards[check.guard];
  return (guard as (args: unknown) => boolean)({ context: asked.record, event });
}
