/**
 * The groups and devices that have lanes, in the order in which they are drawn.
 *
 * @module
 */
import { UNNAMED } from '../../machines/unshown.ts';
import { foundAt } from '../found-groups.ts';
import { beforeFound } from '../owner-at.ts';
import type { Timeline } from '../timeline.ts';
import { byNumber } from '../views.ts';
import type { LaneKind } from './segment-lanes.ts';

/** A group or device that has a lane. */
export interface LaneSubject {
  readonly kind: LaneKind;
  /** A group number, or the PCI address of a device. */
  readonly id: string;
  /** The group of a device, the last one if it is gone; null if it is not known. Of a group: itself. */
  readonly group: string | null;
}

/**
 * Every group and device that has ever been on the host, or may have been: groups by their number, each
 * followed by the devices that are in it at a position; devices whose group is not known come last.
 */
export function laneSubjects(timeline: Timeline, position: number): LaneSubject[] {
  const members = membersOfGroups(timeline, position);
  const found = timeline.groups().filter((group) => foundAt(timeline, group) !== null);
  const known = timeline.devices().flatMap((device) => timeline.known.groupsOf(device));
  const groups = [...new Set([...found, ...known])].toSorted(byNumber);
  const lanesOf = (group: string | null): LaneSubject[] => {
    const devices = (members.get(group) ?? []).toSorted();
    return devices.map((id) => ({ kind: 'device', id, group }));
  };
  const lanes = groups.flatMap((id): LaneSubject[] => {
    return [{ kind: 'group', id, group: id }, ...lanesOf(id)];
  });
  return [...lanes, ...lanesOf(null)];
}

/** The devices in each group, and under null those whose group is not known. */
function membersOfGroups(timeline: Timeline, position: number): Map<string | null, string[]> {
  const host = timeline.hostAt(position);
  const members = new Map<string | null, string[]>();
  for (const device of devicesOf(timeline)) {
    const last = timeline.known.groupsOf(device).at(-1) ?? null;
    const group = host.device(device)?.group ?? last;
    const others = members.get(group);
    if (others === undefined) members.set(group, [device]);
    else others.push(device);
  }
  return members;
}

/** Every device that was ever on the host, or may have been. */
function devicesOf(timeline: Timeline): string[] {
  const added = new Set(timeline.known.devices());
  return timeline.devices().filter((device) => {
    if (device === UNNAMED) return false;
    return added.has(device) || beforeFound(timeline, device, timeline.first).isThere;
  });
}
