/**
 * The types of the matchers as runners declare them: `R` is what an assertion returns, `T` what it is
 * asked of. A matcher that takes no `T` is `never`, so that calling it is an error of the compiler.
 *
 * @module
 */
import type { Profile } from '../machines/profile.ts';
import type { Activity } from '../projections/activity.ts';
import type { InvariantName } from '../projections/audit/invariants.ts';
import type { AsymmetricMatch, HolderPattern, RefusalPattern } from './patterns.ts';
import type { HeldAnswer, AskedPast, OwnedAnswer } from './subjects.ts';
import type { UnknownOption } from './verdict.ts';

/** A matcher of an `S`; of `any` and `unknown`, too. */
type Of<T, S, M> = unknown extends T ? M : T extends S ? M : never;

/** What runners add to `expect(…)`. */
export interface LedgerMatchers<R, T = unknown> {
  /** Whether one of the descriptors and mappings that keep its owner alive matches. */
  toBeOwnedBy: Of<T, OwnedAnswer, (holder: HolderPattern, options?: UnknownOption) => R>;
  /** Whether one of the holders of a device's open files, or of a group's opener, matches. */
  toBeHeldBy: Of<T, HeldAnswer, (holder: HolderPattern, options?: UnknownOption) => R>;
  /** Whether nobody owns it: no user, and no kernel driver. */
  toBeUnowned: Of<T, OwnedAnswer, (options?: UnknownOption) => R>;
  /** Whether the evidence does not tell who owns it. */
  toHaveUnknownOwner: Of<T, OwnedAnswer, () => R>;
  /** Whether an invariant holds at every event of a history. */
  toSatisfyInvariant: Of<T, AskedPast, (name: InvariantName, options?: UnknownOption) => R>;
  /** Whether a call was refused as expected, anywhere in a history. */
  toHaveRefused: Of<T, AskedPast, (refusal: RefusalPattern, options?: UnknownOption) => R>;
  /** Whether every file that was opened between two moments was released at the second. */
  toReleaseEverything: Of<T, Activity, (options?: UnknownOption) => R>;
  /** Whether every attempt of a history would end in the same way by the rules of a kernel. */
  toConformTo: Of<T, AskedPast, (by: { readonly profile: Profile }, options?: UnknownOption) => R>;
}

/** What runners add to `expect` itself, and to `expect.not`. */
export type LedgerAsymmetricMatchers = LedgerMatchers<AsymmetricMatch>;
