/**
 * What a call concerns: the parts that several operations share. Each operation looks up the rest
 * itself, beside its checks (`operations/`).
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import type { MachineName } from './admission.ts';
import type { HostView, Question } from './check.ts';
import type { Device, Group, IommufdFile, Instances, OpenFile } from './host.ts';
import { lowestFreeId, type IommufdRecord } from './iommufd.ts';
import { NAMELESS, STRANGER, UNSHOWN } from './unshown.ts';

/** What is known of a call besides itself: what came out of it, the file behind its argument. */
export interface Given {
  /** The file that it opened. */
  readonly file?: FileId | undefined;
  readonly id?: number | undefined;
  readonly hwpt?: number | undefined;
  /** The file operated on, where it is not looked up: none where undefined. */
  readonly on?: OpenFile | undefined;
  /** The file behind the descriptor given, where it is not looked up: none where undefined. */
  readonly argument?: OpenFile | undefined;
}

/** Where a question looks things up. */
export interface Directory extends HostView {
  /** The file behind a descriptor. */
  behind(pid: number, fd: number): OpenFile | undefined;
  device(device: string): Device | undefined;
  group(group: string): Group | undefined;
  /** The state and memory that a machine begins with. */
  fresh<M extends MachineName>(name: M): Instances[M];
}

/** Of a call that concerns nothing but its process and its descriptor. */
export const itself = (base: Question): Question => base;

/** Of a call that concerns what its file stands for. */
export function ofItsFile<Q extends Question>(base: Q): Q {
  const { file } = base;
  if (file?.kind === 'group') return { ...base, groupFile: file, group: file.group };
  return withDevice(base);
}

/** The same, but for a group's file, which has to be of another kind. */
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

/** The context that a device is bound to. */
export function contextOf(host: HostView, device: Device): IommufdFile | undefined {
  const file = device.record.iommufd === null ? undefined : host.file(device.record.iommufd);
  return file?.kind === 'iommufd' ? file : undefined;
}

/** The IOAS that stands for a container's: the one there, or the next that is made. */
export function compatIoasOf(record: IommufdRecord): number {
  return record.compatIoas ?? lowestFreeId(record);
}

/**
 * What the evidence does not show of an attach: the page table that the group has, which no attach but
 * to the same one passes, or the only IOAS that there is.
 */
export function pageTableShown({ objects }: IommufdRecord, group: Group | undefined): number {
  if (group?.record.hwpt != null) return group.record.hwpt;
  const spaces = [...objects].filter(([, { kind }]) => kind === 'ioas').map(([id]) => id);
  return spaces.length === 1 ? (spaces[0] ?? UNSHOWN) : UNSHOWN;
}

/** A file of each kind that an argument may have stood for, none of them open, and no file at all. */
export function anybody(host: Directory): (OpenFile | undefined)[] {
  const pins = { id: STRANGER, pins: new Set<FileId>(), pinnedBy: new Set<FileId>() };
  return [
    { kind: 'iommufd', ...pins, ...host.fresh('iommufd') },
    { kind: 'container', ...pins, ...host.fresh('container') },
    someFile(),
    undefined,
  ];
}

/** The iommufd that owns a group, where nobody has seen which that is. */
export function namelessIommufd(host: Directory): IommufdFile {
  const nothing = { pins: new Set<FileId>(), pinnedBy: new Set<FileId>() };
  return { kind: 'iommufd', id: NAMELESS, ...nothing, ...host.fresh('iommufd') };
}

/**
 * What a process may have operated on: any file that it has a descriptor of, those of VFIO's first; a
 * file that nobody has seen it open, and no file at all.
 */
export function anyOperatedOn(host: Directory, pid: number): (OpenFile | undefined)[] {
  const own = host.filesOf(pid);
  const isOther = ({ kind }: OpenFile) => kind === 'other';
  const [others, ours] = [own.filter(isOther), own.filter((file) => !isOther(file))];
  return [...ours, ...others, someFile(), undefined];
}

/** A file that has nothing to do with VFIO. */
export function someFile(): OpenFile {
  return { kind: 'other', id: STRANGER, pins: new Set(), pinnedBy: new Set(), path: '' };
}
