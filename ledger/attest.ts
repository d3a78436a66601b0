/**
 * Attestations about a log: resolves their range, and adds what the log is checked by.
 *
 * @module
 */
import { RequestError } from '../events/ledger-error.ts';
import type { Placed } from '../events/vocabulary.ts';
import type { Head } from '../log/store.ts';
import { attested, type AttestOperands } from '../projections/attest/attest.ts';
import {
  attestQuestions,
  type Attestation,
  type AttestQuestion,
} from '../projections/attest/attestation.ts';
import type { Timeline } from '../projections/timeline.ts';
import { positionOf, type When } from '../projections/when.ts';

/** Moments: the states after `from` to the one after `to`; all of the log by default. */
export interface AttestRange {
  readonly from?: When | undefined;
  readonly to?: When | undefined;
}

/** See `Ledger.attest`. */
export function attestIn<E extends Placed>(
  timeline: Timeline<E>,
  question: AttestQuestion,
  operands: AttestOperands,
  { from = 'start', to = 'end' }: AttestRange,
  { head, isDerived }: { readonly head: Head; readonly isDerived: boolean },
): Attestation {
  if (!attestQuestions.includes(question)) {
    throw new RequestError(`'${question}' is not a question: ask ${attestQuestions.join(', ')}`);
  }
  const [first = 0, last = 0] = [from, to].map((when) => Math.max(positionOf(when, timeline), 0));
  if (first > last) throw new RequestError(`the range ends at ${to}, before it begins at ${from}`);
  const found = attested(timeline, question, operands, { from: first, to: last });
  return {
    ...found,
    coverage: coverageIn(timeline, found.coverage),
    head: `${head.position}:${head.hash}`,
    ...(isDerived && { derived: true }),
  };
}
