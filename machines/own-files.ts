/**
 * The files that a call names, as their caller had them open when it was refused.
 *
 * @module
 */
import type { Attempt } from '../events/vocabulary.ts';
import type { FileId } from '../processes/process-table.ts';
import { otherFile, type OpenFile } from './instances.ts';
import type { Kernel } from './kernel.ts';

/** One of the caller's own files. */
export interface OwnFile {
  file: OpenFile;
  /** Whether the host has released it. */
  isGone: boolean;
}

/** The file operated on, the one given as an argument, and the groups given. */
export interface OwnFiles {
  readonly on: OwnFile | null;
  readonly argument: OwnFile | null;
  readonly groups: readonly OwnFile[];
}

/** An open file by its id; of one that is gone its kind, and of a device's file the device. */
type SavedFile =
  | FileId
  | { readonly kind: 'device'; readonly device: string }
  | { readonly kind: Exclude<OpenFile['kind'], 'device'> };

/** `OwnFiles` as plain data, fit for JSON. */
export interface SavedFiles {
  readonly on: SavedFile | null;
  readonly argument: SavedFile | null;
  readonly groups: readonly SavedFile[];
}

/** For a file that is gone. No file has this id, and no owner. */
export const GONE: FileId = 'f-';

export const NO_FILES: OwnFiles = { on: null, argument: null, groups: [] };

/** The files of an attempt; null if it names none, or a descriptor that is not open. */
export function ownFiles(kernel: Kernel, attempt: Attempt): OwnFiles | null {
  if (!('fd' in attempt) || attempt.fd === null || attempt.pid === null) return null;
  const { pid } = attempt;
  const own = (fd: number): OwnFile | null => {
    const file = kernel.behind(pid, fd);
    return file === undefined ? null : { file, isGone: false };
  };
  const given =
    'iommufd' in attempt ? attempt.iommufd : 'container' in attempt ? attempt.container : null;
  const on = own(attempt.fd);
  const argument = given === null ? null : own(given);
  if (on === null || (given !== null && argument === null)) return null;
  if (!('groups' in attempt)) return { on, argument, groups: NO_FILES.groups };
  const groups = (attempt.groups ?? []).map(own);
  const open = groups.filter((file) => file !== null);
  return open.length < groups.length ? null : { on, argument, groups: open };
}

export function allOf({ on, argument, groups }: OwnFiles): OwnFile[] {
  const all: OwnFile[] = [];
  if (on !== null) all.push(on);
  if (argument !== null) all.push(argument);
  for (const group of groups) all.push(group);
  return all;
}

/** The same text for files that are as good as each other. */
export function namesOf(files: OwnFiles): string {
  let names = '';
  for (const own of allOf(files)) {
    const saved = savedFile(own);
    names += typeof saved === 'string' ? ` ${saved}` : ` ${JSON.stringify(saved)}`;
  }
  return names;
}

/** Whether the host knows when the file is released. */
export function isTracked(file: OpenFile): boolean {
  return file.kind !== 'other' || file.path !== file.id;
}

/** Whether a file that the host has released would change nothing if it were still open. */
export function isInert(kernel: Kernel, file: OpenFile): boolean {
  if (file.kind === 'device') return file.state === 'unbound' && isAsItWas(kernel, file);
  return file.kind === 'iommufd' || file.kind === 'container' || file.kind === 'other';
}

/**
 * Whether an open file of a device, which is not bound, would have changed nothing so far: it
 * delays the unbind of the driver.
 */
export function isAsItWas(kernel: Kernel, file: OpenFile): boolean {
  if (file.kind !== 'device') return true;
  const { device } = file;
  const isLeft = device.state === 'absent' || device.state === 'leaving';
  const { driverChange } = kernel;
  return kernel.device(device.device) === device && !isLeft && driverChange?.device !== device;
}

/**
 * Whether a group's file, which the last event has released, would be another now if it were still
 * open: the event may have ended an unbind in its group.
 */
export function mayHaveChanged({ driverChange, touched }: Kernel, file: OpenFile): boolean {
  if (file.kind !== 'group') return false;
  const { group } = file;
  if (driverChange?.device.group === group) return true;
  return [...touched.devices].some((device) => device.group === group && device.state === 'absent');
}

/** A file that stands for all files that are gone and as good. */
export function placeholder(file: OpenFile): OpenFile {
  return { ...file, id: GONE, pins: new Set(), pinnedBy: new Set() };
}

export function saveFiles({ on, argument, groups }: OwnFiles): SavedFiles {
  return {
    on: on && savedFile(on),
    argument: argument && savedFile(argument),
    groups: groups.map(savedFile),
  };
}

/** The files as they were saved; null if one of them cannot be restored. */
export function restoreFiles(kernel: Kernel, saved: SavedFiles): OwnFiles | null {
  const restored = (file: SavedFile) => restoredFile(kernel, file);
  const on = saved.on === null ? null : restored(saved.on);
  const argument = saved.argument === null ? null : restored(saved.argument);
  const groups = saved.groups.map(restored);
  const all = groups.filter((file) => file !== null);
  const isLost =
    (on === null && saved.on !== null) ||
    (argument === null && saved.argument !== null) ||
    all.length < groups.length;
  return isLost ? null : { on, argument, groups: all };
}

function savedFile({ file, isGone }: OwnFile): SavedFile {
  if (!isGone) return file.id;
  if (file.kind === 'device') return { kind: file.kind, device: file.device.device };
  return { kind: file.kind };
}

function restoredFile(kernel: Kernel, saved: SavedFile): OwnFile | null {
  if (typeof saved === 'string') {
    return { file: kernel.file(saved) ?? otherFile(saved, saved), isGone: false };
  }
  const file = goneFile(kernel, saved);
  return file && { file, isGone: true };
}

/**
 * A placeholder for a file that is gone. Null for the file of a device that is not on the host, and
 * for a group's file, for which none is as good.
 */
function goneFile(kernel: Kernel, saved: Exclude<SavedFile, FileId>): OpenFile | null {
  const base = { id: GONE, pins: new Set<FileId>(), pinnedBy: new Set<FileId>() };
  switch (saved.kind) {
    case 'device': {
      const device = kernel.device(saved.device);
      if (device === undefined) return null;
      return { ...base, kind: 'device', device, ...kernel.fresh('deviceFile') };
    }
    case 'iommufd':
      return { ...base, kind: 'iommufd', ...kernel.fresh('iommufd') };
    case 'container':
      return { ...base, kind: 'container', ...kernel.fresh('container') };
    case 'other':
      return otherFile(GONE, '');
    case 'group':
      return null;
  }
}
