/**
 * Claimants: the guests to which a manager such as libvirt has given a device. A claimant is not an
 * owner: the kernel does not know it.
 *
 * @module
 */
import type { EventType } from '../events/vocabulary.ts';
import type { Claimant } from './shapes.ts';
import { keyOf, type Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';

const kinds = new Set<EventType>(['claim.granted', 'claim.released']);

/** The claimants of a device, or of the devices of a group, after a position; oldest first. */
export function claimantsOf(timeline: Timeline, subject: Subject, position: number): Claimant[] {
  if (subject.kind !== 'device' && subject.kind !== 'group') return [];
  const claims = new Map<string, Claimant>();
  for (const at of timeline.positionsOf(keyOf(subject), timeline.bootBefore(position), position)) {
    if (!kinds.has(timeline.typeAt(at))) continue;
    const event = timeline.at(at);
    if (event.type !== 'claim.granted' && event.type !== 'claim.released') continue;
    const { device, group, claimant, uuid, manager } = event.data;
    const key = `${device ?? group} ${manager} ${uuid ?? claimant}`;
    if (event.type === 'claim.released') claims.delete(key);
    else if (!claims.has(key)) claims.set(key, { device, claimant, uuid, manager, since: at });
  }
  return [...claims.values()];
}
