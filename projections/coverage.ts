/**
 * Coverage: from when to when the evidence shows every process of the host, and why not elsewhere.
 *
 * The state after position p is covered if all processes were known then and, unless p is the last
 * position, what happened up to the next event was watched. A group is not covered while evidence
 * of it is missing or its owner is unknown.
 *
 * @module
 */
import { showsWholeHost, type EvidenceSource } from './index/known-sources.ts';
import type { GroupDoubt } from './index/group-doubts.ts';
import { ownersOf } from './history.ts';
import { foundAt } from './found-groups.ts';
import type { AboutMoments, Position } from './shapes.ts';
import type { Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';
import { byNumber } from './views.ts';

/** Half-open: it is not known that every process of the host was seen. */
export interface Uncovered {
  /** What was asked about. Of the whole host: the number of a group, or null for all of it. */
  readonly subject: string | null;
  /** Null only for a log without events. */
  readonly from: Position;
  /** Null up to the end of the log. */
  readonly to: Position;
  readonly fromTime: string | null;
  readonly toTime: string | null;
  /** Why, in a sentence without a full stop. */
  readonly reason: string;
}

/** From when to when the evidence shows every process of the host. */
export interface Coverage extends AboutMoments {
  /** The range is the states after `from` up to and with the state after `to`. */
  readonly from: Position;
  readonly to: Position;
  readonly fromTime: string | null;
  readonly toTime: string | null;
  /** By `from`; empty: everything in the range was seen. Intervals of one subject do not overlap. */
  readonly unknown: readonly Uncovered[];
}

/** A source by name and format; both may be unknown. */
export type SourceName = Pick<EvidenceSource, 'source' | 'format'>;

/** Why it is not known that every process was seen. */
export type CoverageReason =
  /** The log has no event. */
  | { readonly kind: 'no-events' }
  /** Older events were removed from the log. */
  | { readonly kind: 'removed' }
  /** `gap.noticed` at a position: evidence of the host, or of the group, is missing. */
  | { readonly kind: 'gap'; readonly position: number }
  | { readonly kind: 'owner-unknown' }
  /** A file of a device was open whose group was not known: it may be any. */
  | { readonly kind: 'group-unknown' }
  /** The sources show some processes, and never that there were no others. */
  | { readonly kind: 'some-processes'; readonly sources: readonly SourceName[] }
  /** A recorder of the whole host, but no boot and no complete reading where it began. */
  | { readonly kind: 'unknown-start'; readonly sources: readonly SourceName[] }
  /** No source tells of anything. */
  | { readonly kind: 'not-watched' }
  /** The moment is before the first event. */
  | { readonly kind: 'before-start' }
  /** The moment is after the last event. */
  | { readonly kind: 'after-end' }
  /** What came after the last event is missing: the log goes on in a file that is not here. */
  | { readonly kind: 'cut' };

/** A `Coverage` that has the reasons as data; `words/coverage.ts` turns them into sentences. */
export interface FoundCoverage extends Omit<Coverage, 'unknown'> {
  readonly unknown: readonly FoundUncovered[];
}

type FoundUncovered = Omit<Uncovered, 'reason'> & { readonly reason: CoverageReason };

interface CoverageQuestion {
  /** Null for the whole host: all of its groups. */
  readonly subject: Subject | null;
  /** The states after positions `from` to `to` are asked about; -1 is the first position. */
  readonly from: number;
  readonly to: number;
  /** Whether the range begins at an instant before the first event: nothing is known there. */
  readonly isBeforeStart?: boolean;
  /** Whether the range ends at an instant after the last event: nothing is known there. */
  readonly isAfterEnd?: boolean;
}

/** A stretch of states, half-open, and why they are not covered. */
interface Stretch {
  readonly group: string | null;
  readonly from: number;
  readonly to: number;
  readonly reason: CoverageReason;
}

/** The coverage of a subject in a range. A file or process may concern any group. */
export function coverageOf(timeline: Timeline, question: CoverageQuestion): FoundCoverage {
  const { subject } = question;
  const { first, head } = timeline;
  if (head < first) return ofNothing(subject);
  const [from, to] = [Math.max(question.from, 0), Math.max(question.to, 0)];
  const host = unwatched(timeline);
  // What happened between the last event and the next is told by the next one.
  const isCut = timeline.missing !== null;
  if ((isCut || question.isAfterEnd === true) && host.at(-1)?.to !== head + 1) {
    const reason = { kind: isCut ? 'cut' : 'after-end' } as const;
    host.push({ group: null, from: head, to: head + 1, reason });
  }
  const doubts = doubted(timeline, groupsOf(timeline, subject));
  const groups = Map.groupBy([...doubts, ...deviceDoubts(timeline, subject)], (each) => each.group);
  const all = [...host, ...[...groups.values()].flatMap((some) => without(merged(some), host))];
  const isWhole = subject === null || subject.kind === 'process' || subject.kind === 'file';
  const asked = all.flatMap((stretch) => clipped(stretch, from, to + 1));
  const shown = isWhole ? asked : merged(asked.toSorted(byPlace));
  const timeAt = (position: number) => (position < first ? null : timeline.timeAt(position));
  const before = question.isBeforeStart === true ? [beforeStart(timeline, subject)] : [];
  return {
    from,
    to,
    fromTime: timeAt(from),
    toTime: timeAt(to),
    unknown: [
      ...before,
      ...shown.toSorted(byPlace).map(({ group, reason, ...stretch }) => ({
        subject: isWhole ? group : subject.id,
        from: stretch.from,
        to: stretch.to > head ? null : stretch.to,
        fromTime: timeAt(stretch.from),
        toTime: stretch.to > head ? null : timeAt(stretch.to),
        reason,
      })),
    ],
  };
}

/** What was before the first event. */
function beforeStart(timeline: Timeline, subject: Subject | null): FoundUncovered {
  const { first } = timeline;
  const toTime = timeline.timeAt(first);
  const reason = { kind: 'before-start' } as const;
  return { subject: subject?.id ?? null, from: null, to: first, fromTime: null, toTime, reason };
}

/** Nothing was seen by a log without events. */
function ofNothing(subject: Subject | null): FoundCoverage {
  const nowhere = { from: null, to: null, fromTime: null, toTime: null };
  const reason = { kind: 'no-events' } as const;
  return { ...nowhere, unknown: [{ subject: subject?.id ?? null, ...nowhere, reason }] };
}

/** The groups of a subject; null for all. */
function groupsOf(timeline: Timeline, subject: Subject | null): readonly string[] | null {
  if (subject?.kind === 'group') return [subject.id];
  return subject?.kind === 'device' ? timeline.known.groupsOf(subject.id) : null;
}

/** Where not all processes were watched, ascending. */
function unwatched({ first, head, sources }: Timeline): Stretch[] {
  const found: Stretch[] = [];
  let from = 0;
  const end = (to: number) => {
    if (from < Math.min(to, first)) {
      found.push({ group: null, from, to: Math.min(to, first), reason: { kind: 'removed' } });
    }
    const start = Math.max(from, first);
    if (start >= to) return;
    found.push({ group: null, from: start, to, reason: reasonBetween(start, to, { sources }) });
  };
  for (const stretch of sources.watched) {
    end(stretch.from);
    from = stretch.until === head ? head + 1 : stretch.until;
  }
  if (sources.known === head && from <= head) {
    end(head);
    from = head + 1;
  }
  end(head + 1);
  return found;
}

function reasonBetween(
  from: number,
  to: number,
  { sources: { sources, gaps } }: Pick<Timeline, 'sources'>,
): CoverageReason {
  const position = gaps.find((gap) => gap > from && gap <= to);
  if (position !== undefined) return { kind: 'gap', position };
  const there = sources.filter((each) => {
    const isNamed = (each.format ?? each.source) !== null && each.format !== 'snapshot';
    // A recorder that ends where the stretch begins has told of what was before.
    return isNamed && each.from < to && (each.last > from || each.from === from);
  });
  const whole = there.filter(showsWholeHost);
  if (whole.length > 0) return { kind: 'unknown-start', sources: whole.map(nameOf) };
  if (there.length > 0) return { kind: 'some-processes', sources: there.map(nameOf) };
  return { kind: 'not-watched' };
}

function nameOf({ source, format }: EvidenceSource): SourceName {
  return { source, format };
}

/** Where groups are in doubt; of those groups, or with null of all. */
function doubted(timeline: Timeline, groups: readonly string[] | null): Stretch[] {
  const { head, host, sources } = timeline;
  const found = sources.doubts.map((doubt): Stretch => ({
    group: doubt.group,
    from: doubt.from,
    to: doubt.to ?? head + 1,
    reason: reasonOf(doubt),
  }));
  if (sources.known === head) {
    for (const { group, isUnknown } of host.groups()) {
      if (!isUnknown) continue;
      found.push({ group, from: head, to: head + 1, reason: { kind: 'owner-unknown' } });
    }
  }
  for (const group of groups ?? timeline.groups()) {
    const to = foundAt(timeline, group);
    if (to === null) continue;
    found.push({ group, from: 0, to, reason: { kind: 'owner-unknown' } });
  }
  return found.filter(({ group }) => group !== null && groups?.includes(group) !== false);
}

/** Where the owner of a device is unknown, which may be in no group that is known. */
function deviceDoubts(timeline: Timeline, subject: Subject | null): Stretch[] {
  if (subject?.kind !== 'device') return [];
  return ownersOf(timeline, subject)
    .filter(({ owner }) => owner.kind === 'unknown')
    .map(({ from, to }) => ({
      group: subject.id,
      from: from ?? 0,
      to: to ?? timeline.head + 1,
      reason: { kind: 'owner-unknown' },
    }));
}

function reasonOf({ cause, by }: GroupDoubt): CoverageReason {
  return cause === 'gap' ? { kind: 'gap', position: by } : { kind: 'owner-unknown' };
}

function clipped(stretch: Stretch, from: number, to: number): Stretch[] {
  const [start, end] = [Math.max(stretch.from, from), Math.min(stretch.to, to)];
  return start < end ? [{ ...stretch, from: start, to: end }] : [];
}

/** Stretches without what others, which ascend, cover. */
function without(stretches: readonly Stretch[], others: readonly Stretch[]): Stretch[] {
  return stretches.flatMap((stretch) => {
    const left: Stretch[] = [];
    let { from } = stretch;
    for (const other of others) {
      if (other.from >= stretch.to) break;
      if (other.to <= from) continue;
      if (from < other.from) left.push({ ...stretch, from, to: other.from });
      from = other.to;
    }
    return from < stretch.to ? [...left, { ...stretch, from }] : left;
  });
}

/** Stretches without overlaps, ascending: the reason of the earlier one counts. */
function merged(stretches: readonly Stretch[]): Stretch[] {
  const found: Stretch[] = [];
  for (const stretch of stretches.toSorted(byPlace)) {
    const last = found.at(-1);
    const from = Math.max(stretch.from, last?.to ?? 0);
    if (from >= stretch.to) continue;
    if (last?.to === from && isSame(last.reason, stretch.reason)) {
      found.splice(-1, 1, { ...last, to: stretch.to });
    } else found.push({ ...stretch, from });
  }
  return found;
}

function isSame(one: CoverageReason, other: CoverageReason): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function byPlace(a: Stretch, b: Stretch): number {
  if (a.from !== b.from || a.group === b.group) return a.from - b.from;
  return byNumber(a.group ?? '', b.group ?? '');
}
