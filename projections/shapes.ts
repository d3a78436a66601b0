/**
 * The shapes of answers: plain data, the same in the library and in `--json`.
 *
 * A position is a number, and null is `start`. Group numbers and file ids (`f12`) are strings.
 * Devices are PCI addresses. Times are ISO 8601 with microseconds, UTC.
 *
 * @module
 */
import type { Certainty } from '../events/vocabulary.ts';
import type { Cause, ObservedCause } from '../machines/causes.ts';
import type { Blocker } from '../machines/check.ts';
import type { FileId } from '../processes/process-table.ts';

/** The position of an event; null for `start`, the moment before the first event. */
export type Position = number | null;

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
  readonly type: string;
  /** The process that holds the file after the event. */
  readonly pid: number;
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
  /** VFIO_GROUP_FLAGS_VIABLE (vfio/group.c:vfio_group_ioctl_get_status). */
  readonly viable: boolean;
  /** The file that has the group open. */
  readonly opener: FileView | null;
  /** The container of that file, or the iommufd that serves as one. */
  readonly container: FileView | null;
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
  /** Its open files. */
  readonly files: readonly FileView[];
}

/** The ownership table: groups by number, devices by address, files in the order of their opens. */
export interface Table {
  readonly at: Moment;
  readonly groups: readonly GroupView[];
  readonly devices: readonly DeviceView[];
  readonly files: readonly FileView[];
}

/** Owner, holders and waiters of a subject at a moment. */
export interface Who {
  /** A device's address, a group's number, a pid or a file id. */
  readonly subject: string;
  readonly at: Moment;
  readonly owner: Owner;
  /** Of the subject's files; for a file, also of the files that keep it alive. */
  readonly holders: readonly Holder[];
  /** The process whose driver unbind waits until the device is released. */
  readonly waiters: readonly Holder[];
  /** For each holder, the events by which it got its file. */
  readonly lineage: readonly Descent[];
}

/** Half-open: from `from` up to but without `to`, which is null for the last interval. */
export interface Interval {
  readonly subject: string;
  readonly from: Position;
  readonly to: Position;
  readonly owner: Owner;
  /** Type of the event at `to`; null for the last interval. */
  readonly endedBy: string | null;
  /** Number of the group's incarnation, from 1; given if the group had several. */
  readonly incarnation?: number;
}

/** Half-open: `/dev/vfio/N` existed and stood for the same devices. */
export interface Incarnation {
  readonly group: string;
  readonly from: number;
  readonly to: Position;
  /** Boot id of the host; null if the evidence does not show it. */
  readonly boot: string | null;
  /** Devices with a VFIO driver at any time of it; empty if no event names one. */
  readonly devices: readonly string[];
}

/** A guest to which a manager has given a device. The kernel does not know claimants. */
export interface Claimant {
  /** Null: the evidence names the group, but not the device. */
  readonly device: string | null;
  /** Name of the guest. */
  readonly claimant: string;
  readonly uuid: string | null;
  /** Such as `libvirt`. */
  readonly manager: string;
  /** Position of the event that shows it. */
  readonly since: number;
}

/** A holder, and the position from which it kept an owner alive. */
export interface Hand extends Holder {
  readonly from: number;
}

/** An interval of ownership in which the process asked about kept the owner alive, or may have. */
export interface Tenure extends Interval {
  /** What each such process first held of the owner; empty if the owner is unknown. */
  readonly by: readonly Hand[];
}

/** Half-open: from a driver unbind of device `subject` that was blocked, to its end. */
export interface Wait {
  readonly subject: string;
  readonly from: number;
  readonly to: Position;
  /** The process that waits. */
  readonly waiter: Holder;
  /** Holders of the device's files when the wait began. */
  readonly for: readonly Holder[];
  /** Type of the event at `to`; null while it waits. */
  readonly endedBy: string | null;
}

/** Half-open: the evidence claims two or more owners of one group at the same time. */
export interface Overlap {
  readonly group: string;
  readonly from: number;
  readonly to: Position;
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

interface BlockerView extends Blocker {
  readonly holders: readonly Holder[];
  /** The number of the group, or the device, that a message names; absent in other answers. */
  readonly subject?: string;
}

/** A cause that a refusal may have. */
export interface Candidate {
  readonly cause: Cause;
  /** The cause in a sentence. */
  readonly summary: string;
  /** A command for the host whose output tells whether it is this cause. */
  readonly next: string;
}

/** A refusal, explained. */
export interface Why {
  readonly position: number;
  /** Name of the operation, such as `attach`. */
  readonly operation: string;
  /** As observed, such as `EBUSY`; null if the program concluded the refusal, or does not print it. */
  readonly errno: string | null;
  /** A name that never changes; `unknown` if the rules do not explain the refusal. */
  readonly cause: ObservedCause;
  /** The cause in a sentence. */
  readonly summary: string;
  /** The causes that it may have, if the evidence does not tell which; empty if `cause` is known. */
  readonly candidates: readonly Candidate[];
  /** The file or driver in the way, and the holders that keep it alive; null if there is none. */
  readonly blocker: BlockerView | null;
  /** The fewest positions without which the call would have passed; empty if none were found. */
  readonly because: readonly number[];
  /** The first later position of the boot after which the call would pass; null if there is none. */
  readonly wouldPassAfter: Position;
}

/** A change of the owner of group `subject`, by the event at `position`. */
export interface Change {
  readonly subject: string;
  readonly before: Owner;
  readonly after: Owner;
  readonly position: number;
}

/** The changes of owners after `from`, up to `to`. */
export interface Diff {
  readonly from: Position;
  readonly to: Position;
  readonly changes: readonly Change[];
}

/** The first event that violates an invariant, or after which an expression holds. */
export interface Bisection<E = unknown> {
  /** Null if an expression was asked for. */
  readonly invariant: string | null;
  /** The expression; null if an invariant was asked for. */
  readonly where: string | null;
  readonly position: number;
  readonly event: E;
  /** The violation in a sentence, or the rows for which the expression holds. */
  readonly detail: string;
  /** Cause for which the rules refuse the event; null if they allow it, and for an expression. */
  readonly cause: ObservedCause | null;
  /** The fewest positions, ascending, that still show it. */
  readonly prefix: readonly number[];
}

/** A place where a log contradicts itself, the rules or the evidence. */
export interface Fault {
  readonly position: Position;
  /**
   * `bytes`: the file is damaged. `absent`: events are missing. `head`: the log lacks the head that
   * was kept. `rules`: an event contradicts the rules. `evidence`: the evidence shows another cause
   * or release. `table`: the table of a machine and XState differ. `projection`: the index, or an
   * answer from it, differs from the events. `invariant`: an invariant is violated.
   */
  readonly kind:
    | 'bytes'
    | 'absent'
    | 'head'
    | 'rules'
    | 'evidence'
    | 'table'
    | 'projection'
    | 'invariant';
  readonly detail: string;
}

/** What `verify` found. */
export interface Verification {
  /** Number of events checked. */
  readonly events: number;
  /** `POSITION:HASH` of the last event, to keep as a witness; position -1 if the log is empty. */
  readonly head: string;
  readonly faults: readonly Fault[];
  /** Sentences about things that are not faults, such as removed events. */
  readonly notes?: readonly string[];
}
