/**
 * The owner of a group at a position, from the hand-overs of the time index. Before the first event
 * that concerns a group, its owner is none, or unknown.
 *
 * @module
 */
import type { EventType } from '../events/vocabulary.ts';
import type { OwnerInterval } from './interval-shapes.ts';
import type { Owner, Position, TimeBeside } from './shapes.ts';
import { keyOf, type Subject } from './subjects.ts';
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
 * if the group was found.
 */
export function openInterval(timeline: Timeline, subject: Subject): OwnerInterval {
  const { id } = subject;
  const isUnknown = timeline.first > 0 || wasFound(timeline, subject);
  const owner = isUnknown ? unknownOwner : nobody;
  return { subject: id, from: null, to: null, owner, endedBy: null };
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
  if (owner !== null) return { owner: ownerWithoutHolders(owner), since };
  if (since !== null) return { owner: nobody, since };
  return { owner: openInterval(timeline, { kind: 'group', id: group }).owner, since };
}

/** As `bareOwnerAt`, with every descriptor and mapping that keeps the owner alive. */
export function ownerAt(timeline: Timeline, group: string, position: number): Owner {
  const owner = bareOwnerAt(timeline, group, position);
  const { file } = owner;
  return file === null ? owner : { ...owner, holders: keepers(timeline.hostAt(position), [file]) };
}

/**
 * Whether the first event that tells of a group is `group.found`, or none tells of a group or device
 * but refusals and claims name it: it may have existed before. But a host that was recorded from its
 * boot on has no groups and devices other than those that its events tell of.
 */
export function wasFound(timeline: Timeline, subject: Subject): boolean {
  if (subject.kind !== 'group' && subject.kind !== 'device') return false;
  let named: number | null = null;
  for (const position of timeline.positionsOf(keyOf(subject))) {
    const type = timeline.typeAt(position);
    if (naming.has(type)) named ??= position;
    else if (type !== 'gap.noticed') return type === 'group.found';
  }
  if (named === null) return false;
  const boot = timeline.at(timeline.bootBefore(named));
  return boot.type !== 'host.booted' || boot.data.evidence !== undefined;
}

const naming = new Set<EventType>([
  'operation.refused',
  'claim.granted',
  'claim.refused',
  'claim.released',
]);
