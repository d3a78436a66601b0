/**
 * The ownership table worked out the slow way: everything since the boot is played again from
 * nothing, into plain maps, and each answer is searched for among them.
 *
 * It shares nothing with the project but types, so that an error has to be made twice to pass.
 *
 * @module
 */
import type {
  DeviceView,
  FileView,
  GroupView,
  Holder,
  Owner,
  RecordedEvent,
  Table,
} from '../../ledger.ts';
import {
  containerOf,
  deviceFile,
  deviceOf,
  type FileId,
  filesOfDevice,
  filesWhere,
  type Host,
  isVfio,
  keepersOf,
  kindOf,
  openerOf,
  membersOf,
  ownerOf,
  usesDmaApi,
} from './brute-force-host.ts';
import { replay } from './brute-force-replay.ts';

/** A group without `since`, which takes more than one moment to know. */
type GroupNow = Omit<GroupView, 'since' | 'sinceTime'>;
type DeviceNow = Omit<DeviceView, 'since' | 'sinceTime'>;
export interface TableNow extends Pick<Table, 'at' | 'files'> {
  readonly groups: readonly GroupNow[];
  readonly devices: readonly DeviceNow[];
}

/** The table after the event at `position`. */
export function bruteForceTable(events: readonly RecordedEvent[], position: number): TableNow {
  const host = replay(events.slice(lastBoot(events, position), position + 1));
  return {
    at: { position, time: events[position]?.time ?? null },
    groups: groupsOf(host).map((group) => groupNow(host, group)),
    devices: [...host.devices.keys()].sort().map((device) => deviceNow(host, device)),
    files: filesWhere(host, ({ kind }) => kind !== 'other').map((file) => view(host, file)),
  };
}

/** Nothing outlives a boot, so that is where a replay may begin. */
function lastBoot(events: readonly RecordedEvent[], position: number): number {
  let at = position;
  while (at > 0 && events[at]?.type !== 'host.booted') at -= 1;
  return at;
}

function groupsOf(host: Host): string[] {
  const groups = new Set([...host.devices.values()].map(({ group }) => group));
  groups.delete(null);
  return [...groups].map(String).sort((a, b) => Number(a) - Number(b));
}

function groupNow(host: Host, group: string): GroupNow {
  const { count } = ownerOf(host, group);
  const opener = openerOf(host, group);
  const container = containerOf(host, opener);
  return {
    group,
    owner: ownerView(host, group),
    ownerCount: count,
    viable: host.isOld ? isViableWhenOld(host, group) : container !== null || count === 0,
    opener: opener === null ? null : view(host, opener),
    container: container === null ? null : view(host, container),
  };
}

function isViableWhenOld(host: Host, group: string): boolean {
  return membersOf(host, group).every(({ driver }) => !usesDmaApi(driver));
}

function deviceNow(host: Host, device: string): DeviceNow {
  const { name, group, driver } = deviceOf(host, device);
  return {
    device,
    name,
    group,
    driver,
    state: stateOf(host, device),
    owner: group === null ? ownerWithoutGroup(driver) : ownerView(host, group),
    files: filesOfDevice(host, device).map((file) => view(host, file)),
  };
}

function stateOf(host: Host, id: string): DeviceView['state'] {
  const device = deviceOf(host, id);
  if (!isVfio(device)) return 'absent';
  if (device.leaving !== null) return 'leaving';
  const files = filesOfDevice(host, id).map((file) => deviceFile(host, file));
  const bound = files.find(({ cdev, keeps }) => cdev && keeps !== null);
  if (bound !== undefined) return bound.attached ? 'attached' : 'bound';
  return files.length > 0 ? 'open' : 'idle';
}

/** A driver that uses the DMA API claims the group of its device, whichever that is. */
function ownerWithoutGroup(driver: string | null): Owner {
  return { kind: usesDmaApi(driver) ? 'kernel' : 'unknown', file: null, holders: [] };
}

function ownerView(host: Host, group: string): Owner {
  const { kind, file } = ownerOf(host, group);
  return { kind, file, holders: file === null ? [] : heldThrough(host, file) };
}

function view(host: Host, file: FileId): FileView {
  const kind = kindOf(host, file);
  if (kind === null || kind === 'other') throw new Error(`${file} is no file of VFIO or iommufd`);
  const references = keepersOf(host, file).map(
    (keeper) =>
      ({ pid: null, comm: null, cgroup: null, via: 'kernel', fd: null, file: keeper }) as const,
  );
  return { file, kind, holders: [...held(host, file), ...references] };
}

/** Descriptors and mappings of a file. */
function held(host: Host, file: FileId): Holder[] {
  const holders: Holder[] = [];
  for (const [pid, { comm, cgroup, descriptors, mappings }] of host.processes) {
    for (const [fd, descriptor] of descriptors) {
      if (descriptor.file === file) holders.push({ pid, comm, cgroup, via: 'fd', fd, file });
    }
    for (const mapped of mappings.values()) {
      if (mapped === file) holders.push({ pid, comm, cgroup, via: 'mapping', fd: null, file });
    }
  }
  return holders.sort(byProcess);
}

/** Descriptors and mappings of a file and of all files that keep it. */
function heldThrough(host: Host, file: FileId): Holder[] {
  const through = keepersOf(host, file).flatMap((keeper) => heldThrough(host, keeper));
  return [...held(host, file), ...through].sort(byProcess);
}

function byProcess(a: Holder, b: Holder): number {
  return (
    (a.pid ?? Infinity) - (b.pid ?? Infinity) ||
    (a.fd === null ? 1 : 0) - (b.fd === null ? 1 : 0) ||
    (a.fd ?? 0) - (b.fd ?? 0)
  );
}
