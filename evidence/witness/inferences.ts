/**
 * The rules by which something is taken to have happened that no line of the evidence shows, by name;
 * `words/inferences.ts` says each in a sentence.
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
  | 'sent-and-received'
  | 'kept-by-the-kernel'
  | 'released-by-the-kernel'
  | 'number-used-again'
  | 'pid-used-again'
  | 'driver-in-the-message'
  | 'named-by-the-trace'
  | 'used-and-so-bound'
  | 'spoken-of'
  | 'only-one-without-a-number'
  | 'named-in-a-claim'
  | 'refused-by-the-program'
  | 'read-from-the-host'
  | 'gone-from-the-host'
  | 'number-shown-by-the-host'
  | 'an-open-device-needs-a-container'
  | 'a-mapped-device-is-bound'
  | 'in-the-order-of-descriptors'
  | 'only-device-on-the-host'
  | 'rules-of-the-newest-kernel';

/** A fact, and how it came to be known: seen, or by an inference; what is assumed is so as well. */
export interface Told {
  readonly fact: Fact;
  readonly certainty: Certainty;
  readonly rule: Inference | null;
}

/** Where facts go. Seen where no inference is given. */
export type Tell = (fact: Fact, rule?: Inference, certainty?: Certainty) => void;
