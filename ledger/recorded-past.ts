/**
 * The history of a log, as opposed to a what-if: its head has a hash, by which others can check what is
 * said about it.
 *
 * @module
 */
import { optionsGiven, textGiven } from '../events/given.ts';
import { RequestError } from '../events/ledger-error.ts';
import type { Head } from '../log/store.ts';
import type { SupposedHost } from '../machines/host-at.ts';
import { LiveHost } from '../machines/live-host.ts';
import { askThrough } from '../projections/asked.ts';
import { attested } from '../projections/attest/attest.ts';
import {
  attestQuestions,
  type Attestation,
  type AttestQuestion,
} from '../projections/attest/attestation.ts';
import type { CutEnd } from '../projections/shapes.ts';
import { statesOf, type When } from '../projections/when.ts';
import { coverageAnswer } from '../words/coverage.ts';
import { Past } from './questions.ts';

/** The states after `from` to the one after `to`; all of the log by default. */
export interface AttestRange {
  readonly from?: When | undefined;
  readonly to?: When | undefined;
}

export abstract class RecordedPast extends Past {
  static {
    askThrough(RecordedPast, ({ timeline }: RecordedPast) => timeline);
  }

  /** Position and hash (64 hex digits) of the last event read; position -1 while there is none. */
  abstract get head(): Head;

  /** Where the log is cut off; null if the file that continues it is not missing. */
  get cutEnd(): CutEnd | null {
    const { head, missing } = this.timeline;
    return missing === null ? null : { after: head, ...missing };
  }

  /** Whether answers may come from the cache LOG.index. */
  protected abstract get isDerived(): boolean;

  /**
   * What the evidence proves of tenants, which are `pid:N`, `vm:NAME`, `cgroup:PATH` or `comm:NAME`:
   * `never-shared` of two tenants, `never-owned` and `sole-owner` of a device or group and a tenant.
   *
   * Throws `unknown-subject` for a subject or tenant that no evidence names; `bad-request` for another
   * question or word, for tenants that have a process in common, if two processes had the number of
   * `pid:N`, and for a range that ends before it begins; and `bad-when`.
   */
  attest(
    question: AttestQuestion,
    one: string,
    other: string,
    among: AttestRange = {},
  ): Attestation {
    const { from = 'start', to = 'end' } = optionsGiven('attest', among);
    if (!attestQuestions.includes(question)) {
      throw new RequestError(
        `'${textGiven(question)}' is no question: ask ${attestQuestions.join(', ')}`,
      );
    }
    const range = this.findRange(from, to);
    const { logEnds } = range.to;
    const words = [textGiven(one), textGiven(other)] as const;
    const asked = attested(this.timeline, question, words, statesOf(range));
    const { coverage, ...found } = asked;
    const { position, hash } = this.head;
    return {
      ...found,
      coverage: coverageAnswer(coverage, (at) => this.timeline.at(at)),
      head: `${position}:${hash}`,
      ...(this.isDerived && { derived: true }),
      ...(logEnds !== null && { logEnds }),
    };
  }

  /**
   * Builds the cached index again. False if it did not differ from the events.
   *
   * @internal
   */
  mendIndex(): boolean {
    return this.isDerived && this.timeline.index.mend();
  }

  /** A new host after a position, which takes events without recording them. Throws `bad-when`. */
  suppose(position: number): SupposedHost {
    this.checkPosition(position);
    return position < 0 ? new LiveHost() : this.timeline.playedAt(position);
  }
}
