/**
 * The shape of an attestation: an answer that is filed, and read by somebody who was not there.
 *
 * @module
 */
import type { Coverage } from '../coverage.ts';
import type { AboutMoments, Holder, Owner, Position } from '../shapes.ts';

/**
 * - `never-shared`: two tenants never had a hand in a group at the same time.
 * - `never-owned`: no hand of a tenant ever kept the owner of a subject alive.
 * - `sole-owner`: each hand that did was the tenant's, there was one, and kernel drivers never owned.
 */
export const attestQuestions = ['never-shared', 'never-owned', 'sole-owner'] as const;
export type AttestQuestion = (typeof attestQuestions)[number];

/**
 * `proved`: everything in the range was seen, and there was no instance. `refuted`: there was one.
 * `not-known`: none was seen, but not everything was.
 */
export type AttestVerdict = 'proved' | 'refuted' | 'not-known';

/** Half-open: hands in a group or in the group of a device, clipped to the range. */
export interface HandsInstance {
  /** The number of the group; the address of the device that was asked about. */
  readonly subject: string;
  readonly from: number;
  /** Null: it goes on at the end of the range. */
  readonly to: Position;
  readonly fromTime: string | null;
  readonly toTime: string | null;
  /** The kind of the group's owner at `from`. */
  readonly owner: Owner['kind'];
  /** The hands that make it an instance, at `from`; none if kernel drivers or nobody owned. */
  readonly holders: readonly Holder[];
}

/** A source of evidence, and its first and last event. Events of other sources may lie between. */
export interface SourceRange {
  /** A file or a recorder; null for a simulation and for recorded answers. */
  readonly source: string | null;
  /** As in `evidence.begun`; `simulation` or `truth`; null if no event tells. */
  readonly format: string | null;
  readonly from: number;
  readonly to: number;
  readonly fromTime: string | null;
  readonly toTime: string | null;
}

/** What the evidence in a range of states proves. */
export interface Attestation extends AboutMoments {
  readonly question: AttestQuestion;
  /** Two tenants, or a device or group and a tenant. */
  readonly subjects: readonly [string, string];
  /** The states after the events from `from` to `to`, both included, were looked at. */
  readonly from: Position;
  readonly to: Position;
  readonly fromTime: string | null;
  readonly toTime: string | null;
  readonly verdict: AttestVerdict;
  /** What refutes it: a shared group, a hand that kept the owner alive, another owner. */
  readonly instances: readonly HandsInstance[];
  /** Hands of which it is not known whether they are the tenants'. */
  readonly unknownHands: readonly HandsInstance[];
  readonly coverage: Coverage;
  /** `POSITION:HASH` of the last event read, to compare the log with. */
  readonly head: string;
  /** The sources of the events in the range. */
  readonly evidence: readonly SourceRange[];
  /**
   * True if the answer may come from the cache LOG.index, which `verify` compares with the events;
   * left out if the events themselves were judged.
   */
  readonly derived?: true;
}
