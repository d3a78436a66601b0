/**
 * Judges an attempt in the current state of a host by another profile than the host's own.
 *
 * @module
 */
import type { Attempt } from '../events/vocabulary.ts';
import type { RecordedCall } from '../operations/row.ts';
import type { ObservedCause } from './causes.ts';
import type { HostView, Question } from './check.ts';
import { translated } from './era-translation.ts';
import { explain, isFatal, judge, objection, type Refusal } from './judge.ts';
import type { Kernel } from './kernel.ts';
import { kernelRules, type KernelRules } from './machines.ts';
import { questionOf } from './operations.ts';
import { hasIommufd, type Profile } from './profile.ts';
import { completed, isComplete } from './unshown-arguments.ts';

/** A recorded call, and the errno that the kernel answered with; null if the call passed. */
export interface AnsweredAttempt extends Pick<RecordedCall, 'passed'> {
  readonly call: Attempt;
  readonly errno: string | null;
}

/** How an attempt ends by some rules: errno and cause of the refusal, both null if it passes. */
export interface Verdict {
  readonly errno: string | null;
  readonly cause: ObservedCause | null;
  /** Whether the call never ends, as the kernel dies of it. */
  readonly dead?: true;
}

/**
 * A host as the checks of another profile see it. `configured`: whether the host has /dev/iommu and
 * cdevs if its kernel supports them.
 */
function underProfile(host: HostView, profile: Profile, configured: boolean): HostView {
  return {
    profile,
    iommufd: hasIommufd(profile, configured),
    driverChange: host.driverChange,
    file: (id) => host.file(id),
    files: () => host.files(),
    hasProcessNamed: (comm) => host.hasProcessNamed(comm),
    knowsDriver: (driver) => host.knowsDriver(driver),
    isFree: (file, ioas, range) => host.isFree(file, ioas, range),
    isHeld: (id) => host.isHeld(id),
    hasOpen: (pid, kind) => host.hasOpen(pid, kind),
    filesOf: (pid) => host.filesOf(pid),
  };
}

/**
 * The verdicts on a recorded attempt by the host's own rules (`recorded`) and by a profile
 * (`other`); null if too little is known. `errno` is the recorded one; null if the attempt passed.
 *
 * @internal
 */
export function verdictsUnder(
  kernel: Kernel,
  profile: Profile,
  { call, passed, errno }: AnsweredAttempt,
  configured: boolean,
): { readonly recorded: Verdict; readonly other: Verdict } | null {
  const question = isComplete(call) ? questionOf(kernel, completed(call), passed) : null;
  if (question === null || !kernel.knows(question)) return null;
  const asked = translated(question, kernel.profile, profile);
  if (asked === null) return null;
  const host = underProfile(kernel, profile, configured);
  const recorded = recordedOf(kernel.rules, question, errno);
  return { recorded, other: verdictOf(kernelRules(profile), { ...asked, host }, errno) };
}

const passes: Verdict = { errno: null, cause: null };

/** The recorded end of an attempt, with the cause by the host's own rules. */
function recordedOf(rules: KernelRules, question: Question, errno: string | null): Verdict {
  return errno === null ? passes : { errno, cause: explain(rules, question, errno).cause };
}

/** The verdict of other rules: the recorded end if they explain it, otherwise their own. */
function verdictOf(rules: KernelRules, question: Question, errno: string | null): Verdict {
  if (errno === null) return refusalOf(objection(rules, question)) ?? otherwise(rules, question);
  const { cause } = explain(rules, question, errno);
  if (cause !== 'unknown') return { errno, cause };
  return refusalOf(judge(rules, question)) ?? otherwise(rules, question);
}

function refusalOf(refusal: Refusal | null): Verdict | null {
  return refusal === null ? null : { errno: refusal.errno, cause: refusal.cause };
}

/** The verdict if no check fails: the attempt passes, kills, or is unknown to the kernel. */
function otherwise(rules: KernelRules, question: Question): Verdict {
  const { isKnown } = rules.operations[question.call.operation];
  if (!isKnown) return { errno: 'ENOTTY', cause: 'unsupported' };
  return isFatal(rules, question) ? { ...passes, dead: true } : passes;
}
