/**
 * Ownership over time: the intervals of a subject, and what changed hands between two moments.
 *
 * @module
 */
import { partiesOf } from './parties.ts';
import type { Change, Diff, Interval, Position } from './shapes.ts';
import { keyOf, type Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';
import { byNumber, nobody, ownerOf } from './views.ts';

/**
 * The intervals of a subject, half-open and without gaps from the start on: who its owner was, as
 * `who` would have said at each moment.
 */
export function historyOf(timeline: Timeline, subject: Subject): Interval[] {
  if (subject.kind === 'group') {
    const intervals = timeline.intervalsOf(subject.id);
    return intervals.length > 0 ? [...intervals] : [timeline.openInterval(subject.id)];
  }
  const groups =
    subject.kind === 'device' ? timeline.groupsOfDevice(subject.id) : timeline.groups();
  const places = new Set([
    ...groups.flatMap((group) => boundsOf(timeline.intervalsOf(group))),
    ...timeline.positionsOf(keyOf(subject)),
  ]);
  const found: Interval[] = [];
  let last = timeline.openInterval(subject.id);
  for (const position of [...places].toSorted((a, b) => a - b)) {
    const { owner } = partiesOf(timeline.hostAt(position), subject);
    if (owner.kind === last.owner.kind && owner.file === last.owner.file) continue;
    found.push({ ...last, to: position, endedBy: timeline.at(position).type });
    last = { ...last, from: position, owner };
  }
  return [...found, last];
}

function boundsOf(intervals: readonly Interval[]): number[] {
  return intervals.flatMap(({ from }) => from ?? []);
}

/** Every change of a group's owner after `from`, up to `to`, in order of position and group. */
export function changesBetween(timeline: Timeline, from: number, to: number): Diff {
  const changed = timeline.groups().flatMap((group) =>
    timeline.intervalsOf(group).flatMap(({ from: position, owner }, index, all) => {
      const inRange = position !== null && position > from && position <= to;
      return inRange ? [{ group, position, owner, last: all[index - 1]?.owner ?? nobody }] : [];
    }),
  );
  const inOrder = changed.toSorted((a, b) => a.position - b.position || byNumber(a.group, b.group));
  const changes = inOrder.map(({ group, position, owner, last }): Change => {
    // Who kept the owner alive at the last moment, which is not always who did at first.
    const host = timeline.hostAt(position - 1);
    const known = host.group(group);
    const before = known === undefined ? last : ownerOf(host, known);
    return { subject: group, before, after: owner, position };
  });
  return { from: positionOrNull(from), to: positionOrNull(to), changes };
}

function positionOrNull(position: number): Position {
  return position < 0 ? null : position;
}
