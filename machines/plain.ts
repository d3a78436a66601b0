/**
 * Converts devices, groups, files and processes of a live host to plain values (`host-at.ts`).
 *
 * @module
 */
import { TERMINAL, type FileId, type Process } from '../processes/process-table.ts';
import type { PlayedDevice, PlayedFile, PlayedGroup, PlayedProcess } from './host-at.ts';
import type { Draft } from './flat-machine.ts';
import type { Device, Group, OpenFile } from './instances.ts';
import { NAMELESS, UNNAMED } from './unshown.ts';

export function groupAt({ group, state, record, unknownSince, certainty }: Group): PlayedGroup {
  const { owner, opener, claims, unclaimed, members } = record;
  const isUnknown = unknownSince !== null || owner === NAMELESS;
  return {
    group,
    state,
    owner,
    opener,
    claims,
    unclaimed,
    members,
    isUnknown,
    unknownSince,
    certainty,
  };
}

export function deviceAt(live: Device): PlayedDevice {
  const { device, name, driver, cdev, state, model, port, isInDoubt: isUnknown, record } = live;
  const group = live.group?.group ?? null;
  const { files } = record;
  return { device, name, group, driver, cdev, state, isUnknown, model, port, files };
}

/** `current`: for a device's file, the device that has its PCI address now, if any. */
export function fileAt(file: OpenFile, current: Device | undefined): PlayedFile {
  const at = fresh(file);
  if (file.kind === 'group') {
    at.group = file.group.group;
    at.container = at.context = file.record.container;
    at.isGone = file.state === 'dead';
  } else if (file.kind === 'device') {
    const { device, group, record } = file.device;
    at.group = group?.group ?? null;
    at.isGranted = file.state === 'granted';
    if (file.state === 'bound') at.context = record.iommufd;
    if (device === UNNAMED) return at;
    at.device = device;
    at.isGone = file.device !== current;
  } else if (file.kind === 'container') at.isReady = file.state === 'ready';
  return at;
}

/**
 * All files have the same keys in the same order: observers read them at every event, and V8 is
 * fast on objects of one shape.
 */
function fresh({ id, kind, pins, pinnedBy }: OpenFile): Draft<PlayedFile> {
  return {
    id,
    kind,
    group: null,
    device: null,
    isGone: false,
    container: null,
    pins: listed(pins),
    pinnedBy: listed(pinnedBy),
    isGranted: false,
    context: null,
    isReady: false,
  };
}

const none: readonly FileId[] = [];

function listed(ids: ReadonlySet<FileId>): readonly FileId[] {
  return ids.size === 0 ? none : [...ids];
}

export function processAt(process: Process): PlayedProcess {
  const { pid, comm, cgroup, vm, started } = process;
  const descriptors = new Map(process.descriptors);
  for (const [fd, { file }] of descriptors) if (file === TERMINAL) descriptors.delete(fd);
  // Evidence may also show a terminal that is mapped.
  const mappings = new Map(process.mappings);
  for (const [address, file] of mappings) if (file === TERMINAL) mappings.delete(address);
  return { pid, comm, cgroup, vm, started, descriptors, mappings, mapped: [...mappings.values()] };
}
