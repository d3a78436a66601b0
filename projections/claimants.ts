/**
 * Claimants: the guests to which a manager such as libvirt has given a device. A claimant is not an
 * owner: the kernel does not know it.
 *
 * @module
 */
import { Claims, claimTypes } from './index/claims.ts';
import type { PastClaim } from './interval-shapes.ts';
import type { Claimant, Position } from './shapes.ts';
import type { Subject } from './subjects.ts';
import { timed } from './timed.ts';
import type { Timeline } from './timeline.ts';

/** A claimant, and the group that its device is in; null if the evidence does not show it. */
interface GroupClaimant {
  readonly claimant: Claimant;
  readonly group: string | null;
}

/** All claimants after the event at a position, the oldest first. */
export function claimantsAt(timeline: Timeline, position: number): readonly GroupClaimant[] {
  const [segment] = timeline.segments(Math.max(position, timeline.first));
  if (segment === undefined) return [];
  const boot = segment.bootBefore(position);
  const claims = new Claims(boot < segment.first ? segment.parts.claims : []);
  const from = Math.max(boot + 1, segment.first);
  for (const event of timeline.select(from, position, null, claimTypes)) claims.take(event);
  return claims.inForce.map((claimant) => {
    return { claimant, group: groupOf(timeline, claimant, position) };
  });
}

/** The claimants of a device, or of the devices of a group, after a position; oldest first. */
export function claimantsOf(timeline: Timeline, subject: Subject, position: number): Claimant[] {
  if (!isClaimable(subject)) return [];
  return claimantsOn(subject, claimantsAt(timeline, position));
}

/** Those of some claimants that have a device, or a device of a group. */
export function claimantsOn(
  { kind, id }: Subject,
  claimants: readonly GroupClaimant[],
): Claimant[] {
  const isOn = ({ claimant, group }: GroupClaimant) =>
    kind === 'device' ? claimant.device === id : group === id;
  return claimants.filter(isOn).map(({ claimant }) => claimant);
}

/** Every claim of a log on a device, or on devices of a group, in the order in which they began. */
export function claimsOn(timeline: Timeline, subject: Subject): PastClaim[] {
  if (!isClaimable(subject)) return [];
  const claims = new Claims();
  const found: PastClaim[] = [];
  const note = (claimant: Claimant, to: Position): void => {
    const group = groupOf(timeline, claimant, (to ?? timeline.head + 1) - 1);
    if (claimantsOn(subject, [{ claimant, group }]).length === 0) return;
    found.push(timed(timeline, { ...claimant, to }));
  };
  for (const event of timeline.select(timeline.first, timeline.head, null, claimTypes)) {
    for (const ended of claims.take(event)) note(ended, event.position);
  }
  for (const claimant of claims.inForce) note(claimant, null);
  return found.toSorted((a, b) => a.since - b.since);
}

function isClaimable({ kind }: Subject): boolean {
  return kind === 'device' || kind === 'group';
}

/**
 * The group of a claimed device at a position; if it is gone by then, the one when it was claimed. Without
 * a device, the group that is named in its place.
 */
function groupOf(
  timeline: Timeline,
  { device, group, since }: Claimant,
  position: number,
): string | null {
  if (device === null) return group ?? null;
  const there = timeline.hostAt(position).device(device);
  return (there ?? timeline.hostAt(since).device(device))?.group ?? null;
}
