/**
 * Whether a slice that was played agrees with the index about what it is made for. One that lacks an
 * event which matters, or has one too many, shows in the state that it ends in.
 *
 * @module
 */
import type { HostAt } from '../../machines/host-at.ts';
import type { LiveHost } from '../../machines/live-host.ts';
import type { StandingView } from '../index/view.ts';
import type { Concern } from './relevant-events.ts';

/**
 * Compares the host of a slice with the one of the index at the same position: the files of the
 * slice, the groups of which it has all events, and the devices of its groups. Doubt is not compared:
 * a refusal may raise it, and refusals are not played.
 */
export function agrees(played: LiveHost, indexed: StandingView, concern: Concern): boolean {
  const { files, groups, wholeGroups } = concern;
  for (const id of files) if (fileIn(played, id) !== fileIn(indexed, id)) return false;
  for (const id of wholeGroups) {
    const isKnown = indexed.group(id)?.isUnknown !== true;
    if (groupIn(played, id, isKnown) !== groupIn(indexed, id, isKnown)) return false;
  }
  if (concern.isOfDrivers && changing(played) !== changing(indexed)) return false;
  for (const { device, group, state } of indexed.devices()) {
    if (group === null || !groups.has(group)) continue;
    const isWhole = wholeGroups.has(group);
    // It may wait for files that the slice leaves out.
    if (!isWhole && state === 'leaving') continue;
    if (deviceIn(played, device, isWhole) !== deviceIn(indexed, device, isWhole)) return false;
  }
  return true;
}

function fileIn(host: HostAt, id: string): string {
  const file = host.file(id);
  if (file === undefined) return '';
  const { kind, group, device, isGone, container, pins, pinnedBy } = file;
  return JSON.stringify([
    kind,
    group,
    device,
    isGone,
    container,
    [...pins].sort(),
    [...pinnedBy].sort(),
  ]);
}

/** The index has no state and no owner of a group that is in doubt. */
function groupIn(host: HostAt, id: string, isKnown: boolean): string {
  const { state, opener, owner, claims } = host.group(id) ?? {};
  return JSON.stringify([isKnown && state, opener, isKnown && owner, claims]);
}

function deviceIn(host: HostAt, id: string, isWhole: boolean): string {
  const { group, driver, cdev, state } = host.device(id) ?? {};
  return JSON.stringify([group, driver, cdev, isWhole && state]);
}

/** The device whose driver is being changed. */
function changing({ driverChange }: HostAt): string | null {
  return driverChange === null || driverChange.isOver ? null : driverChange.device;
}
