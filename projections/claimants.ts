/**
 * Claimants: the guests to which a manager such as libvirt has given a device. A claimant is not an
 * owner: the kernel does not know it.
 *
 * @module
 */
import type { HostAt } from '../machines/host-at.ts';
import { Claims, claimTypes } from './index/claims.ts';
import type { PastClaim } from './interval-shapes.ts';
import type {
  Claimant,
  DeviceWithClaims,
  GroupWithClaims,
  DeviceView,
  GroupView,
} from './shapes.ts';
import type { Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';

/** All claimants after the event at a position, the oldest first. */
export function claimantsAt(timeline: Timeline, position: number): readonly Claimant[] {
  const at = Math.max(position, timeline.first);
  for (const { first, parts } of timeline.segments(at)) {
    const claims = new Claims(parts.claims);
    for (const event of timeline.select(first, position, null, claimTypes)) claims.take(event);
    return claims.inForce;
  }
  return [];
}

/** The claimants of a device, or of the devices of a group, after a position; oldest first. */
export function claimantsOf(timeline: Timeline, subject: Subject, position: number): Claimant[] {
  if (!isClaimable(subject)) return [];
  const claimants = claimantsAt(timeline, position);
  const host = timeline.hostAt(position);
  return claimants.filter((claimant) => isOn(timeline, host, claimant, subject));
}

export function claimedGroup(
  view: GroupView,
  host: HostAt,
  claimants: readonly Claimant[],
): GroupWithClaims {
  const isIn = ({ device, group }: Claimant) =>
    (device === null ? group : host.device(device)?.group) === view.group;
  return { ...view, claimants: claimants.filter(isIn) };
}

export function claimedDevice(view: DeviceView, claimants: readonly Claimant[]): DeviceWithClaims {
  return { ...view, claimants: claimants.filter(({ device }) => device === view.device) };
}

/** Every claim of a log on a device, or on devices of a group, in the order in which they ended. */
export function claimsOn(timeline: Timeline, subject: Subject): PastClaim[] {
  if (!isClaimable(subject)) return [];
  const claims = new Claims();
  const found: PastClaim[] = [];
  const note = (claimant: Claimant, to: PastClaim['to'], toTime: PastClaim['toTime']): void => {
    const host = timeline.hostAt(claimant.since);
    if (isOn(timeline, host, claimant, subject)) found.push({ ...claimant, to, toTime });
  };
  for (const event of timeline.select(timeline.first, timeline.head, null, claimTypes)) {
    for (const ended of claims.take(event)) note(ended, event.position, event.time);
  }
  for (const claimant of claims.inForce) note(claimant, null, null);
  return found.toSorted((a, b) => a.since - b.since);
}

function isClaimable({ kind }: Subject): boolean {
  return kind === 'device' || kind === 'group';
}

/**
 * Whether what is claimed is the subject, or in it: the group that a device is in, else that it was in
 * last; else the group that is named in place of the device.
 */
function isOn(
  timeline: Timeline,
  host: HostAt,
  { device, group }: Claimant,
  { kind, id }: Subject,
): boolean {
  if (kind === 'device') return device === id;
  if (device === null) return group === id;
  return (host.device(device)?.group ?? timeline.groupsOfDevice(device).at(-1)) === id;
}
