/**
 * `verify`: plays all events once, and compares them with the rules, the index with them, and the log
 * with heads that were kept.
 *
 * @module
 */
import { optionsGiven } from '../events/given.ts';
import type { Placed } from '../events/vocabulary.ts';
import { CorruptLogError, type Head, type LocalEvents, type RecordedEvent } from '../log/store.ts';
import { ExplainedRefusals } from '../projections/audit/counterfactuals.ts';
import type { HostInLog, Verification } from '../projections/audit/faults.ts';
import { keptHeadFindings, type StreamInLog } from '../projections/audit/kept-heads.ts';
import { absenceOf, Verifier } from '../projections/audit/verification.ts';
import type { Finding } from '../projections/findings.ts';
import { intervalsOfGroups } from '../projections/history.ts';
import type { CutEnd } from '../projections/shapes.ts';
import { timed } from '../projections/timed.ts';
import type { Timeline } from '../projections/timeline.ts';
import { verificationWords } from '../words/faults.ts';
import type { VerifyOptions } from './settings.ts';

/** A log that has been read up to `head`. */
interface ReadLog {
  readonly timeline: Timeline<RecordedEvent>;
  /** The host that is verified. */
  readonly host: string;
  readonly origin: Head;
  readonly head: Head;
  /** Where the log is cut off; null if it is not. */
  readonly cutEnd: CutEnd | null;
  /** The events of all hosts; null if they are not on this machine. */
  readonly local: LocalEvents | null;
}

/** What `verify` finds, apart from coverage. Throws `bad-request`, and `damaged` at a damaged event. */
export function verifyLog(log: ReadLog, given: VerifyOptions): Omit<Verification, 'coverage'> {
  const { head = [], ...options } = optionsGiven('verify', given);
  const { timeline, host, origin, cutEnd } = log;
  const heads = typeof head === 'string' ? [head] : head;
  const found = [
    ...verifyTimeline(timeline, options),
    ...keptHeadFindings(heads, host, (of) => (of === host ? ownStream(log) : otherStream(log, of))),
  ];
  const goneTypes = new Set(['history.archived', 'history.removed'] as const);
  const gone = timeline.select(timeline.first, timeline.head, null, goneTypes);
  const { faults, ...words } = verificationWords(found, absenceOf(gone, origin), cutEnd);
  const own = hostOf(host, log);
  return {
    events: own.events,
    head: own.head,
    faults: faults.map((fault) => timed(timeline, fault)),
    ...words,
    hosts: [own, ...otherHosts(log)].toSorted((a, b) => (a.host < b.host ? -1 : 1)),
  };
}

/** The findings in a timeline; see `VerifyOptions.exhaustive`. */
export function verifyTimeline<E extends Placed>(
  timeline: Timeline<E>,
  { exhaustive = false }: Pick<VerifyOptions, 'exhaustive'>,
): Finding[] {
  const rebuild = timeline.index.rebuild();
  const verifier = new Verifier(rebuild);
  const refusals = exhaustive ? new ExplainedRefusals(() => true) : new ExplainedRefusals();
  for (const event of timeline.between(timeline.first, timeline.head)) {
    refusals.take(event, rebuild.host);
    verifier.take(event);
  }
  const differences = timeline.index.adopt(rebuild);
  const intervals = intervalsOfGroups(timeline);
  verifier.compare((group) => intervals.get(group) ?? []);
  return [
    ...verifier.findings,
    ...differences.map((difference) => ({ kind: 'segment', ...difference }) as const),
    ...refusals.compare(timeline),
  ];
}

/** The stream of the host that is verified: its events were checked. */
function ownStream({ timeline, origin }: ReadLog): StreamInLog {
  const { first, head } = timeline;
  return {
    first,
    hashAt(position) {
      if (position === origin.position) return origin.hash;
      return position >= first && position <= head ? timeline.at(position).hash : undefined;
    },
  };
}

function otherStream({ local }: ReadLog, host: string): StreamInLog | null {
  if (local === null || !local.streams().includes(host)) return null;
  return {
    first: local.extent(host).origin.position + 1,
    hashAt: (position) => local.hashAt(host, position),
  };
}

function otherHosts({ local, host }: ReadLog): HostInLog[] {
  if (local === null) return [];
  return ifIntact(() => local.streams(), [])
    .filter((other) => other !== host)
    .map((other) => ifIntact(() => hostOf(other, local.extent(other)), unreadableHost(other)));
}

function hostOf(host: string, { origin, head }: { readonly origin: Head; readonly head: Head }) {
  const { position, hash } = head;
  return { host, events: position - origin.position, head: `${position}:${hash}` };
}

/** A host whose head is damaged: as `verify` shows a log of which nothing can be read. */
function unreadableHost(host: string): HostInLog {
  return { host, events: 0, head: `-1:${'0'.repeat(64)}` };
}

/** Damage of other hosts is reported by `examine`, and does not end the answer about this one. */
function ifIntact<T>(act: () => T, otherwise: T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof CorruptLogError) return otherwise;
    throw error;
  }
}
