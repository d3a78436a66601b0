/**
 * Attestations: what the evidence in a range of states proves of tenants.
 *
 * @module
 */
import { RequestError } from '../../events/ledger-error.ts';
import { coverageOf, type FoundCoverage } from '../coverage.ts';
import { resolveSubject } from '../resolve.ts';
import type { Subject } from '../subjects.ts';
import type { Timeline } from '../timeline.ts';
import type { StateRange } from '../when.ts';
import type { Attestation, AttestQuestion, AttestVerdict, SourceRange } from './attestation.ts';
import { findInstances } from './instances.ts';
import { resolveTenants } from './members.ts';
import { wordOf } from './tenants.ts';
import { ungroupedIn } from './ungrouped.ts';

/** Two tenants, or a device or group and a tenant. */
export type AttestOperands = readonly [string, string];

/** What a timeline tells of an attestation: it does not know the hashes of its events. */
export interface Attested extends Omit<Attestation, 'coverage' | 'head' | 'derived'> {
  readonly coverage: FoundCoverage;
}

/**
 * Answers a question about the states of a range. Throws `unknown-subject`, `bad-request` for a
 * subject that is no device or group, and as `resolveTenants`.
 */
export function attested(
  timeline: Timeline,
  question: AttestQuestion,
  [one, other]: AttestOperands,
  range: StateRange,
): Attested {
  const subject = question === 'never-shared' ? null : placeNamed(timeline, one, range.to);
  const tenants = resolveTenants(timeline, subject === null ? [one, other] : [other], range);
  const coverage = coverageIn(timeline, subject, range);
  const isSeen = coverage.unknown.length === 0;
  const found = findInstances(timeline, { question, subject, tenants, range, isSeen });
  const [first = '', second = ''] = tenants.map(wordOf);
  const { from, to, fromTime, toTime } = coverage;
  return {
    question,
    subjects: subject === null ? [first, second] : [subject.id, first],
    from,
    to,
    fromTime,
    toTime,
    verdict: verdictOf(found, isSeen),
    ...found,
    coverage,
    evidence: sourcesIn(timeline, range),
  };
}

/** The coverage of a subject; a device whose group is not known may be in any. */
function coverageIn(timeline: Timeline, subject: Subject | null, range: StateRange): FoundCoverage {
  const coverage = coverageOf(timeline, { subject, ...range });
  const unknown = [...coverage.unknown, ...ungroupedIn(timeline, range)];
  return { ...coverage, unknown: unknown.toSorted((a, b) => (a.from ?? 0) - (b.from ?? 0)) };
}

/** One instance refutes, whatever else is unknown. */
function verdictOf(
  { instances, unknownHands }: Pick<Attestation, 'instances' | 'unknownHands'>,
  isSeen: boolean,
): AttestVerdict {
  if (instances.length > 0) return 'refuted';
  return isSeen && unknownHands.length === 0 ? 'proved' : 'not-known';
}

function placeNamed(timeline: Timeline, word: string, position: number): Subject {
  const subject = resolveSubject(timeline, word, position);
  if (subject.kind === 'device' || subject.kind === 'group') return subject;
  throw new RequestError(`'${word}' is a ${subject.kind}: expected a device or a group`);
}

/** The sources with events in a range, by their first event. */
function sourcesIn(timeline: Timeline, { from, to }: StateRange): SourceRange[] {
  return timeline.sources.sources
    .filter((source) => source.from <= to && source.last >= from)
    .map(({ source, format, from: begun, last }) => ({
      source,
      format,
      from: begun,
      to: last,
      fromTime: timeline.timeAt(begun),
      toTime: timeline.timeAt(last),
    }));
}
