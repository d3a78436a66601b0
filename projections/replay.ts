/**
 * A log judged by other rules than those of the kernel that it is of.
 *
 * What happened stays as it happened: each attempt is judged on the state that the events before it
 * have made under their own rules. An attempt that other rules would have let through has no effect.
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import type { Recorded } from '../operations/row.ts';
import { callOf } from '../operations/table.ts';
import type { Question } from '../machines/check.ts';
import { explain, judge, objection, type Refusal } from '../machines/judge.ts';
import { Kernel } from '../machines/kernel.ts';
import { isComplete } from '../machines/unshown-arguments.ts';
import { kernelRules, type KernelRules } from '../machines/machines.ts';
import { underProfile } from '../machines/other-profile.ts';
import type { Profile } from '../machines/profile.ts';
import { questionOf } from '../machines/operations.ts';
import type { Difference, Replay, Verdict } from './shapes.ts';

/**
 * Judges every attempt by the rules of a profile. `isKnown` is false where the events before the
 * first are not here: then nobody can say until the host boots.
 */
export function replayBy(
  profile: Profile,
  events: Iterable<Placed>,
  { isKnown = true }: { readonly isKnown?: boolean } = {},
): Replay {
  const kernel = new Kernel();
  kernel.isKnown = isKnown;
  const rules = kernelRules(profile);
  const differences: Difference[] = [];
  let [attempts, unknown, configured] = [0, 0, false];
  for (const event of events) {
    const { position } = event;
    const attempt = attemptOf(event);
    if (attempt !== null) {
      attempts++;
      const { call } = attempt;
      const question = isComplete(call) ? questionOf(kernel, call, attempt.passed) : null;
      if (question !== null && kernel.knows(question)) {
        const host = underProfile(kernel, profile, configured);
        const recorded = recordedOf(kernel, question, attempt.errno);
        const other = verdictOf(rules, { ...question, host }, attempt.errno);
        const { operation } = attempt.call;
        if (!isSame(recorded, other)) differences.push({ position, operation, recorded, other });
      } else unknown++;
    }
    if (event.type === 'host.booted') configured = event.data.iommufd;
    if (kernel.isKnown || event.type === 'host.booted') kernel.take(event);
  }
  return { attempts, unknown, differences };
}

/** What was asked of the kernel, and the errno that it answered with, null where it did it. */
type Attempt = Recorded & { readonly errno: string | null };

function attemptOf(event: Placed): Attempt | null {
  if (event.type === 'operation.refused') {
    return { call: event.data, passed: {}, errno: event.data.errno };
  }
  const called = callOf(event);
  return called === null ? null : { ...called, errno: null };
}

const passes: Verdict = { errno: null, cause: null };

/** How it went, and why by the rules of the log's own kernel. */
function recordedOf(kernel: Kernel, question: Question, errno: string | null): Verdict {
  return errno === null ? passes : { errno, cause: explain(kernel.rules, question, errno).cause };
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

function isSame(a: Verdict, b: Verdict): boolean {
  return a.errno === b.errno && a.cause === b.cause;
}
