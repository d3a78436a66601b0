/**
 * The shapes of answers: plain data, the same in the library and in `--json`.
 *
 * A position is a number, and null is `start`. Group numbers and file ids (`f12`) are strings.
 * Devices are PCI addresses. Times are ISO 8601 with microseconds, UTC.
 *
 * Beside each position stands the time of its event (`from` and `fromTime`, `position` and `time`):
 * null if the event has none, and where the position is null.
 *
 * @module
 */
import type { Certainty } from '../events/vocabulary.ts';
import type { ObservedCause } from '../machines/causes.ts';
import type { Coverage } from './coverage.ts';
import type { FileId } from '../processes/process-table.ts';
import type { SubjectKind } from './subjects.ts';

/** The position of an event; null for `start`, the moment before the first event. */
export type Position = number | null;

/** The time of an event, beside its position; null if it has none, and where the position is null. */
export type TimeBeside = string | null;

/** Half-open: from the event at `from` up to but without that at `to`, which is null if it goes on. */
export interface Span {
  readonly from: Position;
  readonly fromTime: TimeBeside;
  readonly to: Position;
  readonly toTime: TimeBeside;
}

/**
 * The end of the log, in an answer about an instant after it, or about `end` if the file that continues
 * the log is missing: nothing is known from there on.
 */
export interface LogEnd {
  /** Position of the last event. */
  readonly position: number;
  /** The last time that an event of the log has; null if none has. */
  readonly time: string | null;
}

/** The file that continues a log whose last file here is sealed. */
export interface MissingFile {
  /** Path of the sealed file. */
  readonly sealed: string;
  /** Path of the file that continues it. */
  readonly next: string;
  /** Whether `next` is there: it is not read if the log is opened by the name of a later file. */
  readonly isThere: boolean;
}

/** Where a log is cut off, because the file that continues it is missing: nothing is known after. */
export interface CutEnd extends MissingFile {
  /** Position of the last event; below the first position if there is none. */
  readonly after: number;
}

/** An answer about moments that the caller has named. */
export interface AboutMoments {
  /** Given if a moment is after the end of the log. */
  readonly logEnds?: LogEnd;
}

/** A descriptor, mapping or kernel reference that keeps a file alive. */
export interface Holder {
  /** Null for the kernel, or if the evidence does not show it. Scenarios never reuse a pid. */
  readonly pid: number | null;
  /** Name of the process; in scenarios `P1`. */
  readonly comm: string | null;
  /** Path of the control group; null if the evidence does not show it. */
  readonly cgroup: string | null;
  /**
   * `kernel`: another file holds it. `queue`: it was sent and not yet received, or closed and not yet
   * released; of a waiter: a driver unbind that waits.
   */
  readonly via: 'fd' | 'mapping' | 'kernel' | 'queue';
  /** The descriptor; null unless `via` is `fd`, and if the evidence does not show it. */
  readonly fd: number | null;
  /** The file held; for `kernel` the file that holds it; null for a waiter. */
  readonly file: FileId | null;
}

/** An event by which a process got a file: the open, a dup, a fork, a pass or a mapping. */
export interface DescentStep {
  readonly position: number;
  readonly time: TimeBeside;
  readonly type: string;
  /** The process that holds the file after the event; null for the kernel, and if it is not shown. */
  readonly pid: number | null;
  /** Its descriptor; null for a mapping. */
  readonly fd: number | null;
}

/** A holder, and the events by which it got the file, the open first. */
export interface Descent extends Holder {
  readonly chain: readonly DescentStep[];
}

/** An open VFIO file. */
export interface FileView {
  readonly file: FileId;
  readonly kind: 'group' | 'container' | 'iommufd' | 'device';
  /** Its descriptors, mappings and kernel references; not those of the files that keep it alive. */
  readonly holders: readonly Holder[];
}

/** The owner of the DMA of a group. */
export interface Owner {
  readonly kind: 'none' | 'kernel' | 'container' | 'iommufd' | 'unknown';
  /** The iommufd, or the group file whose container owns; null for the other kinds. */
  readonly file: FileId | null;
  /** Every descriptor or mapping that keeps the owner alive, also through other files. */
  readonly holders: readonly Holder[];
  /** Given if the event that made it the owner was not observed. */
  readonly certainty?: Exclude<Certainty, 'observed'>;
}

/** A moment: after the event at `position`. */
export interface Moment {
  readonly position: Position;
  /** Time of that event; null at `start`, and if the event has none. */
  readonly time: string | null;
  /** Given if that event is part of a what-if, and so did not happen. */
  readonly whatIf?: true;
}

/** A group at a moment. */
export interface GroupView {
  readonly group: string;
  readonly owner: Owner;
  /** `owner_cnt` (iommu/iommu.c:struct iommu_group). */
  readonly ownerCount: number;
  /** Position of the event that made it the owner; null if it was before the first event. */
  readonly since: Position;
  readonly sinceTime: TimeBeside;
  /** VFIO_GROUP_FLAGS_VIABLE (vfio/group.c:vfio_group_ioctl_get_status). */
  readonly viable: boolean;
  /** The file that has the group open. */
  readonly opener: FileView | null;
  /** The container of that file, or the iommufd that serves as one. */
  readonly container: FileView | null;
}

/** A group, and the claimants of its devices. */
export interface GroupWithClaims extends GroupView {
  readonly claimants: readonly Claimant[];
}

/** A device at a moment; null for what it does not have. */
export interface DeviceView {
  readonly device: string;
  readonly name: string | null;
  readonly group: string | null;
  readonly driver: string | null;
  /** State of its machine: `absent` has no VFIO driver, `leaving` waits for the end of its unbind. */
  readonly state: 'absent' | 'idle' | 'open' | 'bound' | 'attached' | 'leaving' | 'unknown';
  /** The owner of its group. */
  readonly owner: Owner;
  /** Since when its group has this owner, as in `GroupView`. */
  readonly since: Position;
  readonly sinceTime: TimeBeside;
  /** Its open files. */
  readonly files: readonly FileView[];
}

export interface DeviceWithClaims extends DeviceView {
  readonly claimants: readonly Claimant[];
}

/** The ownership table: groups by number, devices by address, files in the order of their opens. */
export interface Table extends AboutMoments {
  readonly at: Moment;
  readonly groups: readonly GroupWithClaims[];
  readonly devices: readonly DeviceWithClaims[];
  readonly files: readonly FileView[];
}

/** Owner, holders, waiters and claimants of a subject at a moment. */
export interface Who extends AboutMoments {
  /** A device's address, a group's number, a pid or a file id. */
  readonly subject: string;
  /** What `subject` is: a group and a process may have the same number. */
  readonly kind: SubjectKind;
  readonly at: Moment;
  readonly owner: Owner;
  /** Position of the event that made it the owner; null if it was before the first event. */
  readonly since: Position;
  readonly sinceTime: TimeBeside;
  /** Of the subject's files; for a file, also of the files that keep it alive. */
  readonly holders: readonly Holder[];
  /** The process whose driver unbind waits until the device is released. */
  readonly waiters: readonly Holder[];
  /** Of a device, or of the devices of a group. */
  readonly claimants: readonly Claimant[];
  /** Given for a process that had ended. */
  readonly exited?: Exit;
  /** For each holder, the events by which it got its file. */
  readonly lineage: readonly Descent[];
}

/** The end of a process. */
export interface Exit {
  readonly position: number;
  readonly time: TimeBeside;
  /** `host.booted` if the process ended with the host, and no event shows its exit. */
  readonly by: 'process.exited' | 'host.booted';
  /** The signal that killed it, such as `SIGKILL`; null for another exit, or if it is not known. */
  readonly signal: string | null;
  /** The VFIO descriptors and mappings that it had last; empty if it never had any. */
  readonly held: readonly Holder[];
  /** Position of the event by which it lost the last of them; null if it never had any. */
  readonly heldUntil: Position;
  readonly heldUntilTime: TimeBeside;
}

/** A guest to which a manager has given a device. The kernel does not know claimants. */
export interface Claimant {
  /** Null: the evidence names the group, but not the device. */
  readonly device: string | null;
  /** The group that is named in place of the device. */
  readonly group?: string | undefined;
  /** Name of the guest. */
  readonly claimant: string;
  readonly uuid: string | null;
  /** Such as `libvirt`. */
  readonly manager: string;
  /** Position of the event that shows it. */
  readonly since: number;
  readonly sinceTime: TimeBeside;
}

/** From a driver unbind of device `subject` that was blocked, to its end. */
export interface Wait extends Span {
  readonly subject: string;
  readonly from: number;
  /** The process that waits. */
  readonly waiter: Holder;
  /** Holders of the device's files when the wait began. */
  readonly for: readonly Holder[];
  /** Type of the event at `to`; null while it waits. */
  readonly endedBy: string | null;
}

/** The evidence claims two or more owners of one group at the same time. */
export interface Overlap extends Span {
  readonly group: string;
  readonly from: number;
  /** With their holders at `from`. */
  readonly owners: readonly Owner[];
  /** The kernel drivers, if the kernel is one of the owners. */
  readonly drivers: readonly string[];
  /** Type of the event at `to`; null while it lasts. */
  readonly endedBy: string | null;
}

/** A descriptor or mapping of a process, and its file. */
export interface Holding extends Holder {
  readonly kind: FileView['kind'];
  /** The group of a group's file or of a device's file. */
  readonly group: string | null;
  /** The device of a device's file. */
  readonly device: string | null;
  /** The groups whose owner it keeps alive. */
  readonly keepsOwnerOf: readonly string[];
}

/** An open file that no process has a descriptor or mapping of. */
export interface Orphan extends FileView {
  /** The group of a group's file; the groups that an iommufd owns, or that are in a container. */
  readonly groups: readonly string[];
  /** The devices whose open files keep it alive. */
  readonly devices: readonly string[];
  /** The owner that `who` answers for the file. */
  readonly owner: Owner;
  /** Descriptors and mappings of the files that keep it alive. */
  readonly keptThrough: readonly Holder[];
}

/** A change of the owner of group `subject`, by the event at `position`. */
export interface Change {
  readonly subject: string;
  readonly before: Owner;
  readonly after: Owner;
  readonly position: number;
  readonly time: TimeBeside;
}

/** The changes of owners after `from`, up to and with `to`. */
export interface Diff extends Span, AboutMoments {
  readonly changes: readonly Change[];
}

/** The first event that violates an invariant, or after which an expression holds. */
export interface Bisection<E = unknown> {
  /** Null if an expression was asked for. */
  readonly invariant: string | null;
  /** The expression; null if an invariant was asked for. */
  readonly where: string | null;
  readonly position: number;
  readonly time: TimeBeside;
  readonly event: E;
  /** The violation in a sentence, or the rows for which the expression holds. */
  readonly detail: string;
  /** Cause for which the rules refuse the event; null if they allow it, and for an expression. */
  readonly cause: ObservedCause | null;
  /** The fewest positions, ascending, that still show it. */
  readonly prefix: readonly number[];
  /** Of the whole log. */
  readonly coverage: Coverage;
}
