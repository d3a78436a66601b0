/**
 * The owner of a group at a position, from the hand-overs of the time index. Before the first event
 * that concerns a group, its owner is none, or unknown.
 *
 * @module
 */
import { foundAt, isRecordedAt } from './found-groups.ts';
import type { OwnerInterval } from './interval-shapes.ts';
import type { Owner, Position, TimeBeside } from './shapes.ts';
import type { Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';
import { keepers, nobody, ownerWithoutHolders, unknownOwner } from './views.ts';

/** The owner of a group without its holders: finding these takes most of the time. */
export interface BareOwner extends Omit<Owner, 'holders'> {
  /** Position since which it is the owner; null: from the start of the log. */
  readonly since: Position;
  readonly sinceTime: TimeBeside;
}

/**
 * The first interval of a subject's history. Its owner is unknown if older events were removed, or
 * if the group was found; that of a device is as in `ownerOfAbsent`.
 */
export function openInterval(timeline: Timeline, subject: Subject): OwnerInterval {
  const { id } = subject;
  return { subject: id, from: null, to: null, owner: openOwner(timeline, subject), endedBy: null };
}

function openOwner(timeline: Timeline, { kind, id }: Subject): Owner {
  if (timeline.first > 0) return unknownOwner;
  if (kind === 'device') return ownerOfAbsent(timeline, id, timeline.first);
  return kind === 'group' && foundAt(timeline, id) !== null ? unknownOwner : nobody;
}

/**
 * The owner of a device that is not on the host at a position. If evidence finds it there later, it is
 * that of its group, as of any other device; unknown if its group is, or if nothing but refusals and
 * claims name the device.
 */
export function ownerOfAbsent(timeline: Timeline, device: string, position: number): Owner {
  const { isThere, group } = beforeFound(timeline, device, position);
  if (!isThere) return nobody;
  return group === null ? unknownOwner : ownerAt(timeline, group, position);
}

/**
 * Whether a device that is not on the host at a position may have been there all the same, and the
 * group that it is found in later.
 */
export function beforeFound(
  timeline: Timeline,
  device: string,
  position: number,
): { readonly isThere: boolean; readonly group: string | null } {
  let first: number | null = null;
  for (const at of timeline.positionsOf(`device ${device}`)) {
    first ??= at;
    const { type, data } = timeline.at(at);
    if (type !== 'device.added') continue;
    // What was seen to come has no rule. Groups get their numbers anew with each boot.
    const isThere = position < at && data.evidence?.rule !== undefined;
    return { isThere, group: timeline.bootBefore(at) > timeline.first ? null : data.group };
  }
  return { isThere: first !== null && !isRecordedAt(timeline, first), group: null };
}

/** The owner of a group at a position, with nobody as holder. */
export function bareOwnerAt(timeline: Timeline, group: string, position: number): Owner {
  return ownerSince(timeline, group, position).owner;
}

/** As `bareOwnerAt`, with the position since which it is the owner. */
export function ownerSince(
  timeline: Timeline,
  group: string,
  position: number,
): { readonly owner: Owner; readonly since: Position } {
  if (!timeline.isKnownAt(position)) return { owner: unknownOwner, since: null };
  const { owner, since } = timeline.ownerAt(group, position);
  if (owner !== null) {
    const shown = ownerWithoutHolders(owner);
    return { owner: shown, since: sinceOrFound(foundAt(timeline, group), since, shown.kind) };
  }
  if (since !== null) return { owner: nobody, since };
  // A group that was found, and went with a boot, is nobody's since it was found.
  const found = timeline.first > 0 ? null : foundAt(timeline, group);
  if (found !== null && found <= position) return { owner: nobody, since: found };
  return { owner: openInterval(timeline, { kind: 'group', id: group }).owner, since };
}

/**
 * Position since which a group has its owner, from that by the host, which does not know that the group
 * was there before it was found: an unknown owner is so from the start of the log, and a known one is
 * known since then. `found` is where the group was found; null if it was not.
 */
export function sinceOrFound(found: Position, since: Position, kind: Owner['kind']): Position {
  if (kind !== 'unknown') return since ?? found;
  return since === found ? null : since;
}

/** As `bareOwnerAt`, with every descriptor and mapping that keeps the owner alive. */
export function ownerAt(timeline: Timeline, group: string, position: number): Owner {
  const owner = bareOwnerAt(timeline, group, position);
  const { file } = owner;
  return file === null ? owner : { ...owner, holders: keepers(timeline.hostAt(position), [file]) };
}
