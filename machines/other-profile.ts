/**
 * An attempt on a host as it stands, judged by a profile that is not its own.
 *
 * @module
 */
import type { RecordedCall } from '../operations/row.ts';
import type { ObservedCause } from './causes.ts';
import type { HostView, Question } from './check.ts';
import { explain, judge, objection, type Refusal } from './judge.ts';
import type { Kernel } from './kernel.ts';
import { kernelRules, type KernelRules } from './machines.ts';
import { questionOf } from './operations.ts';
import { hasIommufd, type Profile } from './profile.ts';
import { isComplete } from './unshown-arguments.ts';

/** What was asked of the kernel, and the errno that it answered with; null where it passed. */
export type AnsweredAttempt = RecordedCall & { readonly errno: string | null };

/** How an attempt ends: refused with an errno for a cause, or not, and then both are null. */
export interface Verdict {
  readonly errno: string | null;
  readonly cause: ObservedCause | null;
}

/**
 * What the checks of another profile find when they look at a host. `configured` says whether the
 * host has /dev/iommu and cdevs as soon as its kernel knows them.
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
 * What the host's own rules say of an attempt of which the end is known, beside those of a profile;
 * null where too little is known. `errno` is what was seen; null where it passed.
 *
 * @internal
 */
export function verdictsUnder(
  kernel: Kernel,
  profile: Profile,
  { call, passed, errno }: AnsweredAttempt,
  configured: boolean,
): { readonly recorded: Verdict; readonly other: Verdict } | null {
  const question = isComplete(call) ? questionOf(kernel, call, passed) : null;
  if (question === null || !kernel.knows(question)) return null;
  const host = underProfile(kernel, profile, configured);
  const recorded = recordedOf(kernel.rules, question, errno);
  return { recorded, other: verdictOf(kernelRules(profile), { ...question, host }, errno) };
}

const passes: Verdict = { errno: null, cause: null };

/** How it went, and why by the rules of the log's own kernel. */
function recordedOf(rules: KernelRules, question: Question, errno: string | null): Verdict {
  return errno === null ? passes : { errno, cause: explain(rules, question, errno).cause };
}

/** What rules say of an attempt whose end is known: as seen, where they can explain that. */
function verdictOf(rules: KernelRules, question: Question, errno: string | null): Verdict {
  if (errno === null) return refusalOf(objection(rules, question)) ?? otherwise(rules, question);
  const { cause } = explain(rules, question, errno);
  if (cause !== 'unknown') return { errno, cause };
  return refusalOf(judge(rules, question)) ?? otherwise(rules, question);
}

function refusalOf(refusal: Refusal | null): Verdict | null {
  return refusal === null ? null : { errno: refusal.errno, cause: refusal.cause };
}

/** What nothing stands in the way of passes; but not where the kernel has no such operation. */
function otherwise({ operations }: KernelRules, { call }: Question): Verdict {
  const { isKnown } = operations[call.operation];
  return isKnown ? passes : { errno: 'ENOTTY', cause: 'unsupported' };
}
