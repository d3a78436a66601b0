/**
 * Looks up what a call concerns, as far as several operations share it. Each operation looks up the
 * rest beside its checks (`operations/`).
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import type { MachineName } from './admission.ts';
import type { HostView, Question } from './check.ts';
import type { Device, Group, IommufdFile, Instances, OpenFile } from './instances.ts';
import { lowestFreeId, type IommufdRecord } from './iommufd.ts';
import { NAMELESS, STRANGER, UNSHOWN } from './unshown.ts';

/** What is known of a call besides its arguments: its results, the files behind its descriptors. */
export interface Given {
  /** The file that it opened. */
  readonly file?: FileId | undefined;
  readonly id?: number | undefined;
  readonly hwpt?: number | undefined;
  /** The file operated on, in the place of a look-up; undefined for none. */
  readonly on?: OpenFile | undefined;
  /** The file behind the descriptor given, in the place of a look-up; undefined for none. */
  readonly argument?: OpenFile | undefined;
  /** The files behind the descriptors of groups given, in the place of a look-up. */
  readonly groups?: readonly (OpenFile | undefined)[];
}

/** A host in which a question looks up what it concerns. */
export interface Directory extends HostView {
  /** The file behind a descriptor. */
  behind(pid: number, fd: number): OpenFile | undefined;
  device(device: string): Device | undefined;
  group(group: string): Group | undefined;
  /** The initial state and memory of a machine. */
  fresh<M extends MachineName>(name: M): Instances[M];
}

/** For a call that concerns only its process and its descriptor. */
export const itself = (base: Question): Question => base;

/** For a call that concerns the object behind its file. */
export function ofItsFile<Q extends Question>(base: Q): Q {
  const { file } = base;
  if (file?.kind === 'group') return { ...base, groupFile: file, group: file.group };
  return withDevice(base);
}

/** As `ofItsFile`, for an operation that does not take a group's file. */
export function withDevice<Q extends Question>(question: Q): Q {
  const { file } = question;
  if (file?.kind === 'iommufd') return { ...question, iommufd: file };
  if (file?.kind === 'container') return { ...question, container: file };
  if (file?.kind !== 'device') return question;
  const { device } = file;
  return { ...question, deviceFile: file, device, group: device.group ?? undefined };
}

/** The file behind a descriptor that was given as an argument. */
export function argumentOf(
  host: Directory,
  pid: number,
  fd: number,
  given: Given,
): OpenFile | undefined {
  return 'argument' in given ? given.argument : host.behind(pid, fd);
}

/** The iommufd that a device is bound to. */
export function contextOf(host: HostView, device: Device): IommufdFile | undefined {
  const file = device.record.iommufd === null ? undefined : host.file(device.record.iommufd);
  return file?.kind === 'iommufd' ? file : undefined;
}

/** The compat IOAS of an iommufd, or the id that the next one gets. */
export function compatIoasOf(record: IommufdRecord): number {
  return record.compatIoas ?? lowestFreeId(record);
}

/**
 * The page table of an attach that does not show it: the group's, as only an attach to the same one
 * passes, or the only IOAS. `UNSHOWN` if neither is there.
 */
export function pageTableShown({ objects }: IommufdRecord, group: Group | undefined): number {
  if (group?.record.hwpt != null) return group.record.hwpt;
  const spaces = [...objects].filter(([, { kind }]) => kind === 'ioas').map(([id]) => id);
  return spaces.length === 1 ? (spaces[0] ?? UNSHOWN) : UNSHOWN;
}

/** Placeholders for the file behind an argument: one of each kind, and undefined for none. */
export function anybody(host: Directory): (OpenFile | undefined)[] {
  const pins = { id: STRANGER, pins: new Set<FileId>(), pinnedBy: new Set<FileId>() };
  return [
    { kind: 'iommufd', ...pins, ...host.fresh('iommufd') },
    { kind: 'container', ...pins, ...host.fresh('container') },
    someFile(),
    undefined,
  ];
}

/** A placeholder for the iommufd that owns a group, if it was not recorded. */
export function namelessIommufd(host: Directory): IommufdFile {
  const nothing = { pins: new Set<FileId>(), pinnedBy: new Set<FileId>() };
  return { kind: 'iommufd', id: NAMELESS, ...nothing, ...host.fresh('iommufd') };
}

/**
 * The files that a process may have operated on: those that it has descriptors of, VFIO's first; a
 * file whose open was not recorded; and undefined for none. `pid`: null if it is not shown.
 */
export function anyOperatedOn(host: Directory, pid: number | null): (OpenFile | undefined)[] {
  const own = pid === null ? [] : host.filesOf(pid);
  const isOther = ({ kind }: OpenFile) => kind === 'other';
  const [others, ours] = [own.filter(isOther), own.filter((file) => !isOther(file))];
  return [...ours, ...others, someFile(), undefined];
}

/** A placeholder for a file that is neither VFIO's nor iommufd's. */
export function someFile(): OpenFile {
  return { kind: 'other', id: STRANGER, pins: new Set(), pinnedBy: new Set(), path: '' };
}
