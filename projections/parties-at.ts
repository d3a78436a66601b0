/**
 * The parties of a subject at a position of the log, also of one that is found on the host only later.
 *
 * @module
 */
import type { HostAt } from '../machines/host-at.ts';
import type { HostPart } from './index/segment.ts';
import { bareOwnerAt, beforeFound, ownerOfAbsent } from './owner-at.ts';
import { partiesOf, partOf, type Parties } from './parties.ts';
import type { Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';

/** A subject at a position. */
export interface SubjectAt extends Subject {
  readonly position: number;
}

/** As `partiesOf`; `host` is the one at `position`. */
export function partiesAt(
  timeline: Timeline,
  host: HostAt,
  { kind, id, position }: SubjectAt,
): Parties {
  const parties = partiesOf(host, { kind, id });
  if (!host.isKnown) return parties;
  if (kind === 'group' && host.group(id) === undefined) {
    return { ...parties, owner: bareOwnerAt(timeline, id, position) };
  }
  if (kind === 'device' && host.device(id) === undefined) {
    return { ...parties, owner: ownerOfAbsent(timeline, id, position) };
  }
  return parties;
}

/** As `partOf`: the part of a host on which the owner of `partiesAt` depends. */
export function partAt(timeline: Timeline, host: HostAt, subject: SubjectAt): HostPart {
  const part = partOf(host, subject);
  const group = groupAt(timeline, host, subject);
  return group === null ? part : { ...part, groups: [group] };
}

/** The group of a group or device; null if it has none, or is something else. */
export function groupAt(
  timeline: Timeline,
  host: HostAt,
  { kind, id, position }: SubjectAt,
): string | null {
  if (kind !== 'device') return kind === 'group' ? id : null;
  const device = host.device(id);
  if (device !== undefined || !host.isKnown) return device?.group ?? null;
  const { isThere, group } = beforeFound(timeline, id, position);
  return isThere ? group : null;
}
