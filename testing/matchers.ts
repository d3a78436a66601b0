/**
 * The matchers, for any runner: each takes what it is asked of, and answers with `pass` and `message`.
 * Of `this` only `isNot` is read. This module exports nothing else, so `expect.extend` takes all of it.
 *
 * @module
 */
import type { Profile } from '../machines/profile.ts';
import type { Activity } from '../projections/activity.ts';
import type { InvariantName } from '../projections/audit/invariants.ts';
import { judgeConformance, judgeInvariant, judgeRefused } from './judge-history.ts';
import { judgeHeldBy, judgeOwnedBy, judgeUnknownOwner, judgeUnowned } from './judge-owner.ts';
import { judgeRelease } from './judge-release.ts';
import type { HolderPattern, RefusalPattern } from './patterns.ts';
import type { HeldAnswer, AskedPast, OwnedAnswer } from './subjects.ts';
import { answered, type MatcherAnswer, type UnknownOption } from './verdict.ts';

/** Whether one of the descriptors and mappings that keep its owner alive matches. */
export function toBeOwnedBy(
  this: unknown,
  owned: OwnedAnswer,
  holder: HolderPattern,
  options?: UnknownOption,
): MatcherAnswer {
  return answered(this, () => judgeOwnedBy(owned, holder, options));
}

/** Whether one of the holders of a device's open files, or of a group's opener, matches. */
export function toBeHeldBy(
  this: unknown,
  held: HeldAnswer,
  holder: HolderPattern,
  options?: UnknownOption,
): MatcherAnswer {
  return answered(this, () => judgeHeldBy(held, holder, options));
}

/** Whether nobody owns it: no user, and no kernel driver. */
export function toBeUnowned(
  this: unknown,
  owned: OwnedAnswer,
  options?: UnknownOption,
): MatcherAnswer {
  return answered(this, () => judgeUnowned(owned, options));
}

/** Whether the evidence does not tell who owns it. */
export function toHaveUnknownOwner(this: unknown, owned: OwnedAnswer): MatcherAnswer {
  return answered(this, () => judgeUnknownOwner(owned));
}

/** Whether an invariant holds at every event of a history. */
export function toSatisfyInvariant(
  this: unknown,
  history: AskedPast,
  invariant: InvariantName,
  options?: UnknownOption,
): MatcherAnswer {
  return answered(this, () => judgeInvariant(history, invariant, options));
}

/** Whether a call was refused as expected, anywhere in a history. */
export function toHaveRefused(
  this: unknown,
  history: AskedPast,
  refusal: RefusalPattern,
  options?: UnknownOption,
): MatcherAnswer {
  return answered(this, () => judgeRefused(history, refusal, options));
}

/** Whether every file that was opened between two moments was released at the second. */
export function toReleaseEverything(
  this: unknown,
  activity: Activity,
  options?: UnknownOption,
): MatcherAnswer {
  return answered(this, () => judgeRelease(activity, options));
}

/** Whether every attempt of a history would end in the same way by the rules of a kernel. */
export function toConformTo(
  this: unknown,
  history: AskedPast,
  by: { readonly profile: Profile },
  options?: UnknownOption,
): MatcherAnswer {
  return answered(this, () => judgeConformance(history, by, options));
}
