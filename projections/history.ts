/**
 * Ownership over time: the intervals of a subject, and what changed hands between two moments.
 *
 * @module
 */
import type { Change, Diff, Interval, Owner, Position } from './shapes.ts';
import { keyOf, type Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';
import { byNumber, nobody, ownerOf } from './views.ts';

/**
 * The intervals of a subject, half-open and without gaps from the start on. A device has its
 * group's; a file those in which it owned, a process those in which it kept an owner alive.
 */
export function historyOf(timeline: Timeline, subject: Subject): Interval[] {
  switch (subject.kind) {
    case 'group':
      return renamed(timeline.intervalsOf(subject.id), subject.id);
    case 'device': {
      const group = timeline.groupOfDevice(subject.id);
      return renamed(group === null ? [] : timeline.intervalsOf(group), subject.id);
    }
    case 'file':
      return stretches(timeline, subject, ({ file }) => file === subject.id);
    case 'process': {
      const pid = Number(subject.id);
      return stretches(timeline, subject, (owner) => owner.holders.some((h) => h.pid === pid));
    }
  }
}

function renamed(intervals: readonly Interval[], subject: string): Interval[] {
  if (intervals.length > 0) return intervals.map((interval) => ({ ...interval, subject }));
  return [{ subject, from: null, to: null, owner: nobody, endedBy: null }];
}

/** The stretches in which some group has an owner that counts. */
function stretches(
  timeline: Timeline,
  subject: Subject,
  counts: (owner: Owner) => boolean,
): Interval[] {
  const bounds = timeline.groups().flatMap((group) => boundsOf(timeline.intervalsOf(group)));
  const places = [...new Set([...bounds, ...timeline.positionsOf(keyOf(subject))])];
  const found: Interval[] = [];
  let last: Interval = { subject: subject.id, from: null, to: null, owner: nobody, endedBy: null };
  for (const position of places.toSorted((a, b) => a - b)) {
    const host = timeline.hostAt(position);
    const owners = [...host.groups()].map((group) => ownerOf(host, group));
    const owner = owners.find(counts) ?? nobody;
    if (owner.kind === last.owner.kind && owner.file === last.owner.file) continue;
    found.push({ ...last, to: position, endedBy: timeline.at(position).type });
    last = { subject: subject.id, from: position, to: null, owner, endedBy: null };
  }
  return [...found, last];
}

function boundsOf(intervals: readonly Interval[]): number[] {
  return intervals.flatMap(({ from }) => from ?? []);
}

/** Every change of a group's owner after `from`, up to `to`, in order of position and group. */
export function changesBetween(timeline: Timeline, from: number, to: number): Diff {
  const changed = timeline.groups().flatMap((group) =>
    timeline.intervalsOf(group).flatMap(({ from: position, owner }) => {
      const inRange = position !== null && position > from && position <= to;
      return inRange ? [{ group, position, owner }] : [];
    }),
  );
  const inOrder = changed.toSorted((a, b) => a.position - b.position || byNumber(a.group, b.group));
  const changes = inOrder.map(({ group, position, owner }): Change => {
    // Who kept the owner alive at the last moment, which is not always who did at first.
    const host = timeline.hostAt(position - 1);
    const known = host.group(group);
    const before = known === undefined ? nobody : ownerOf(host, known);
    return { subject: group, before, after: owner, position };
  });
  return { from: positionOrNull(from), to: positionOrNull(to), changes };
}

function positionOrNull(position: number): Position {
  return position < 0 ? null : position;
}
