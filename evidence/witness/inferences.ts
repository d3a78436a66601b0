/**
 * The inference rules: why an event is believed to have happened although no line of the evidence
 * shows it.
 *
 * @module
 */
import type { Certainty, Fact } from '../../events/vocabulary.ts';

/** The name of such a rule, as events carry it. */
export type Inference =
  | 'no-boot-seen'
  | 'as-the-topology-says'
  | 'has-a-node'
  | 'found-open'
  | 'given-as-an-argument'
  | 'let-in-and-so-the-owner'
  | 'refused-as-closed'
  | 'had-the-node-before'
  | 'got-from-its-group'
  | 'only-iommufd-in-process'
  | 'only-container-in-process'
  | 'only-device-in-group'
  | 'same-file'
  | 'group-opens-once'
  | 'sent-and-received'
  | 'kept-by-the-kernel'
  | 'only-unseen-holders'
  | 'released-by-the-kernel'
  | 'number-used-again'
  | 'pid-used-again'
  | 'driver-in-the-message'
  | 'named-by-the-trace'
  | 'used-and-so-bound'
  | 'spoken-of'
  | 'only-one-without-a-number'
  | 'named-in-a-claim'
  | 'named-as-the-claimant'
  | 'shown-by-a-listing'
  | 'refused-by-the-program'
  | 'concluded-by-the-program'
  | 'told-without-an-errno'
  | 'read-from-the-host'
  | 'gone-from-the-host'
  | 'number-shown-by-the-host'
  | 'an-open-device-needs-a-container'
  | 'a-mapped-device-is-bound'
  | 'in-the-order-of-descriptors'
  | 'only-device-on-the-host'
  | 'rules-of-the-newest-kernel';

/** Whether a later line shows that a fact did not happen; known at the end of the evidence. */
export interface Tentative {
  isVoid: boolean;
}

/** A fact, how certain it is, and the rule that inferred or assumed it; null if it was seen. */
export interface Told {
  readonly fact: Fact;
  readonly certainty: Certainty;
  readonly rule: Inference | null;
  /** Given if a later line may show that it did not happen. */
  readonly tentative?: Tentative;
}

/** Adds a fact. `certainty` defaults to `observed` without a rule, and to `inferred` with one. */
export type Tell = (fact: Fact, rule?: Inference, certainty?: Certainty) => void;
