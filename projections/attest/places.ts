/**
 * Places: the groups in which the hands of a question are looked for, from when to when.
 *
 * @module
 */
import type { EventType } from '../../events/vocabulary.ts';
import { groupAt } from '../parties-at.ts';
import { keyOf, type Subject } from '../subjects.ts';
import type { Timeline } from '../timeline.ts';
import type { StateRange } from '../when.ts';
import { byNumber } from '../views.ts';

/** Half-open: `subject` is the group, or a device that is in it. */
export interface HandsPlace {
  readonly subject: string;
  readonly group: string;
  readonly from: number;
  readonly end: number;
}

/** The places of a device or group, or with null of all groups. */
export function placesOf(
  timeline: Timeline,
  subject: Subject | null,
  { from, to }: StateRange,
): HandsPlace[] {
  const end = to + 1;
  if (subject?.kind === 'device') return placesOfDevice(timeline, subject, from, end);
  const groups = subject === null ? timeline.groups().toSorted(byNumber) : [subject.id];
  return groups.map((group) => ({ subject: group, group, from, end }));
}

const moves: ReadonlySet<EventType> = new Set(['device.added', 'device.removed'] as const);

function placesOfDevice(
  timeline: Timeline,
  device: Subject,
  from: number,
  end: number,
): HandsPlace[] {
  const moments = new Set([from]);
  for (const position of timeline.positionsOf(keyOf(device), from + 1, end - 1)) {
    if (moves.has(timeline.typeAt(position))) moments.add(position);
  }
  for (let boot = timeline.bootAfter(from); boot !== null; boot = timeline.bootAfter(boot)) {
    if (boot < end) moments.add(boot);
  }
  const starts = [...moments].toSorted((a, b) => a - b);
  return starts.flatMap((start, index) => {
    const group = groupAt(timeline, timeline.hostAt(start), { ...device, position: start });
    if (group === null) return [];
    return { subject: device.id, group, from: start, end: starts[index + 1] ?? end };
  });
}
