/**
 * Saves the state of a host as plain data and restores it, so that replay can go on from there.
 *
 * A checkpoint is a cache: everything in it follows from the events before it.
 *
 * @module
 */
import type { FileId, NamedVm } from '../processes/process-table.ts';
import type { ShownFile } from '../processes/shown-releases.ts';
import type { Device, Group, OpenFile } from './instances.ts';
import { Kernel } from './kernel.ts';
import { kernelRules } from './machines.ts';
import type { IommufdRecord } from './iommufd.ts';
import type { IommufdObject } from './page-tables.ts';
import type { Profile } from './profile.ts';

/** Plain data, fit for JSON. Devices go by their index in `devices`: an address may occur twice. */
export interface KernelCheckpoint {
  readonly position: number;
  readonly profile: Profile;
  readonly possibleProfiles: readonly Profile[];
  readonly boot: string | null;
  readonly iommufd: boolean;
  readonly isKnown: boolean;
  readonly isAssumed: boolean;
  readonly drivers: readonly string[];
  readonly groups: readonly Omit<Group, 'devices'>[];
  readonly devices: readonly SavedDevice[];
  readonly files: readonly SavedFile[];
  readonly processes: readonly SavedProcess[];
  readonly releases: readonly ShownFile[];
  readonly driverChange: SavedChange | null;
}

type SavedDevice = Omit<Device, 'group'> & {
  readonly group: string | null;
  /** Unplugged while files of it are open. */
  readonly isGone: boolean;
};

interface SavedFile {
  readonly id: FileId;
  readonly kind: OpenFile['kind'];
  /** Group, index of the device, or path. */
  readonly of: string | number | null;
  readonly state: string | null;
  readonly record: unknown;
  readonly pins: readonly FileId[];
  readonly pinnedBy: readonly FileId[];
  readonly isFound: boolean;
}

interface SavedProcess {
  readonly pid: number;
  readonly comm: string;
  readonly cgroup: string | null;
  readonly vm: NamedVm;
  readonly started: string | null;
  readonly descriptors: readonly (readonly [fd: number, file: FileId, cloexec: boolean])[];
  readonly mappings: readonly (readonly [mapping: number, file: FileId])[];
}

type SavedChange = Omit<NonNullable<Kernel['driverChange']>, 'device'> & {
  readonly device: number;
};

/** The host as plain data, without its contradictions. Later events do not change it. */
export function saveKernel(kernel: Kernel): KernelCheckpoint {
  const devices = new Set(kernel.devices());
  const there = devices.size;
  for (const file of kernel.files()) if (file.kind === 'device') devices.add(file.device);
  if (kernel.driverChange !== null) devices.add(kernel.driverChange.device);
  const places = new Map([...devices].map((device, place) => [device, place]));
  const change = kernel.driverChange;
  return {
    position: kernel.position,
    profile: kernel.profile,
    possibleProfiles: kernel.possibleProfiles,
    boot: kernel.boot,
    iommufd: kernel.iommufd,
    isKnown: kernel.isKnown,
    isAssumed: kernel.isAssumed,
    drivers: kernel.drivers(),
    groups: [...kernel.groups()].map(({ devices: _devices, ...group }) => group),
    devices: [...devices].map((device, place) => {
      return { ...device, group: device.group?.group ?? null, isGone: place >= there };
    }),
    files: [...kernel.files()].map((file) => saveFile(file, places)),
    processes: [...kernel.processes.processes()].map((process) => ({
      ...process,
      descriptors: [...process.descriptors].map(([fd, { file, cloexec }]) => [fd, file, cloexec]),
      mappings: [...process.mappings],
    })),
    releases: kernel.processes.releases.save(),
    driverChange: change && { ...change, device: places.get(change.device) ?? 0 },
  };
}

function saveFile(file: OpenFile, places: ReadonlyMap<Device, number>): SavedFile {
  const { id, kind } = file;
  const isFound = file.isFound === true;
  const pins = { pins: [...file.pins], pinnedBy: [...file.pinnedBy], isFound };
  switch (kind) {
    case 'group':
      return { id, kind, of: file.group.group, state: file.state, record: file.record, ...pins };
    case 'device': {
      const of = places.get(file.device) ?? null;
      return { id, kind, of, state: file.state, record: file.record, ...pins };
    }
    case 'container':
      return { id, kind, of: null, state: file.state, record: file.record, ...pins };
    case 'iommufd': {
      const record = { ...file.record, objects: [...file.record.objects] };
      return { id, kind, of: null, state: file.state, record, ...pins };
    }
    case 'other':
      return { id, kind, of: file.path, state: null, record: null, ...pins };
  }
}

/** A new host with the state of the checkpoint. */
export function restoreKernel(saved: KernelCheckpoint): Kernel {
  const kernel = new Kernel();
  kernel.position = saved.position;
  kernel.profile = saved.profile;
  kernel.possibleProfiles = saved.possibleProfiles;
  kernel.rules = kernelRules(saved.profile);
  kernel.boot = saved.boot;
  kernel.iommufd = saved.iommufd;
  kernel.isKnown = saved.isKnown;
  kernel.isAssumed = saved.isAssumed;
  for (const driver of saved.drivers) kernel.learnDriver(driver);
  for (const group of saved.groups) Object.assign(kernel.groupOf(group.group), group);
  const devices = saved.devices.map(({ isGone, ...device }): Device => {
    const { group } = device;
    // The keys stay in their order, so that the host is saved as it was.
    const restored = { ...device, group: group === null ? null : kernel.groupOf(group) };
    if (!isGone) kernel.addDevice(restored);
    return restored;
  });
  for (const file of saved.files) kernel.addFile(restoreFile(file, kernel, devices));
  kernel.processes.restore(
    saved.processes.map((process) => ({
      ...process,
      descriptors: new Map(
        process.descriptors.map(([fd, file, cloexec]) => [fd, { file, cloexec }]),
      ),
      mappings: new Map(process.mappings),
    })),
  );
  kernel.processes.releases.restore(saved.releases);
  const change = saved.driverChange;
  const changing = change && devices[change.device];
  if (change && changing) kernel.driverChange = { ...change, device: changing };
  return kernel;
}

function restoreFile(
  { id, kind, of, state, record, pins, pinnedBy, isFound }: SavedFile,
  kernel: Kernel,
  devices: readonly Device[],
): OpenFile {
  const found = isFound ? { isFound } : {};
  const base = { id, kind, pins: new Set(pins), pinnedBy: new Set(pinnedBy), ...found };
  if (kind === 'other') return { ...base, kind, path: String(of) };
  if (kind === 'group') {
    return { ...base, state, record, group: kernel.groupOf(String(of)) } as OpenFile;
  }
  if (kind === 'device') return { ...base, state, record, device: devices[Number(of)] } as OpenFile;
  if (kind === 'container') return { ...base, state, record } as OpenFile;
  const plain = record as Omit<IommufdRecord, 'objects'> & {
    readonly objects: readonly (readonly [number, IommufdObject])[];
  };
  return { ...base, state, record: { ...plain, objects: new Map(plain.objects) } } as OpenFile;
}
