/**
 * Devices, groups, files and processes of a live host as plain values (`host-at.ts`).
 *
 * @module
 */
import { TERMINAL, type FileId, type Process } from '../processes/process-table.ts';
import type { PlayedDevice, PlayedFile, PlayedGroup, PlayedProcess } from './host-at.ts';
import type { Device, Group, OpenFile } from './host.ts';
import { NAMELESS, UNNAMED } from './unshown.ts';

export function groupAt({ group, state, record, unknownSince, certainty }: Group): PlayedGroup {
  const { owner, opener, claims, members } = record;
  const isUnknown = unknownSince !== null || owner === NAMELESS;
  return { group, state, owner, opener, claims, members, isUnknown, unknownSince, certainty };
}

export function deviceAt(live: Device): PlayedDevice {
  const { device, name, group, driver, cdev, state, model, record } = live;
  const { files } = record;
  return { device, name, group: group?.group ?? null, driver, cdev, state, model, files };
}

/** `current` is the device that is there by now under the address of a device's file. */
export function fileAt(file: OpenFile, current: Device | undefined): PlayedFile {
  const { id, kind } = file;
  const nothing = { group: null, device: null, container: null, context: null };
  const is = { isGone: false, isGranted: false, isReady: false };
  const plain = {
    id,
    kind,
    ...nothing,
    ...is,
    pins: listed(file.pins),
    pinnedBy: listed(file.pinnedBy),
  };
  switch (file.kind) {
    case 'group': {
      const { container } = file.record;
      const isGone = file.state === 'dead';
      return { ...plain, group: file.group.group, container, context: container, isGone };
    }
    case 'device': {
      const { device, group, record } = file.device;
      return {
        ...plain,
        group: group?.group ?? null,
        device: device === UNNAMED ? null : device,
        isGone: device !== UNNAMED && file.device !== current,
        isGranted: file.state === 'granted',
        context: file.state === 'bound' ? record.iommufd : null,
      };
    }
    case 'container':
      return { ...plain, isReady: file.state === 'ready' };
    case 'iommufd':
    case 'other':
      return plain;
  }
}

const none: readonly FileId[] = [];

function listed(ids: ReadonlySet<FileId>): readonly FileId[] {
  return ids.size === 0 ? none : [...ids];
}

export function processAt(process: Process): PlayedProcess {
  const { pid, comm, cgroup, started } = process;
  const descriptors = new Map(process.descriptors);
  for (const [fd, { file }] of descriptors) if (file === TERMINAL) descriptors.delete(fd);
  const mappings = new Map(process.mappings);
  return { pid, comm, cgroup, started, descriptors, mappings, mapped: [...mappings.values()] };
}
