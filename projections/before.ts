/**
 * The owner of a group before the first event that concerns it: none, or unknown.
 *
 * @module
 */
import type { Interval, Owner } from './shapes.ts';
import type { Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';
import { nobody, unknownOwner } from './views.ts';

/**
 * The first interval of a subject's history. Its owner is unknown if older events were removed, or
 * if the group was found.
 */
export function openInterval(timeline: Timeline, { kind, id }: Subject): Interval {
  const isUnknown = timeline.first > 0 || (kind === 'group' && wasFound(timeline, id));
  const owner = isUnknown ? unknownOwner : nobody;
  return { subject: id, from: null, to: null, owner, endedBy: null };
}

/** The owner of a group that does not exist at a position. */
export function ownerBefore(timeline: Timeline, group: string, position: number): Owner {
  const isHeardOf = timeline.since(group, position) !== null;
  return isHeardOf ? nobody : openInterval(timeline, { kind: 'group', id: group }).owner;
}

/**
 * Whether the first event that tells of a group is `group.found`, or none does but refusals name it:
 * the group may have existed before.
 */
function wasFound(timeline: Timeline, group: string): boolean {
  let isNamed = false;
  for (const position of timeline.positionsOf(`group ${group}`)) {
    const type = timeline.typeAt(position);
    if (type === 'operation.refused') isNamed = true;
    else if (type !== 'gap.noticed') return type === 'group.found';
  }
  return isNamed;
}
