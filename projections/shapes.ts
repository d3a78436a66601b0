/**
 * The shapes of the answers: plain data, the same in the library and in `--json`.
 *
 * Positions are numbers, null at `start`; group numbers and ids are strings.
 *
 * @module
 */
import type { Certainty } from '../events/vocabulary.ts';
import type { ObservedCause } from '../machines/causes.ts';
import type { Blocker } from '../machines/check.ts';
import type { Verdict } from '../machines/other-profile.ts';
import type { FileId } from '../processes/process-table.ts';

export type Position = number | null;

/** What keeps a file alive. In scenarios `comm` is `P1` and `pid` a number never used again. */
export interface Holder {
  readonly pid: number | null;
  readonly comm: string | null;
  readonly cgroup: string | null;
  readonly via: 'fd' | 'mapping' | 'kernel' | 'queue';
  readonly fd: number | null;
  /** The file held; for `kernel` the file through which the kernel holds. */
  readonly file: FileId | null;
}

/** A step of a file from hand to hand: the open, a dup, a fork, a pass, a mapping. */
export interface DescentStep {
  readonly position: number;
  readonly type: string;
  /** Who held it from then on, and under which number; null for a mapping. */
  readonly pid: number;
  readonly fd: number | null;
}

/** A holder, and how it came by the file; the last step says since when. */
export interface Descent extends Holder {
  readonly chain: readonly DescentStep[];
}

export interface FileView {
  readonly file: FileId;
  readonly kind: 'group' | 'container' | 'iommufd' | 'device';
  /** Descriptors, mappings and kernel references of this very file. */
  readonly holders: readonly Holder[];
}

export interface Owner {
  readonly kind: 'none' | 'kernel' | 'container' | 'iommufd' | 'unknown';
  /** The iommufd, or the group file whose container owns. */
  readonly file: FileId | null;
  /** Every descriptor or mapping that keeps the owner alive, also through other files. */
  readonly holders: readonly Holder[];
  /** How the evidence shows it, where nobody has seen it happen. */
  readonly certainty?: Exclude<Certainty, 'observed'>;
}

export interface Moment {
  readonly position: Position;
  readonly time: string | null;
  /** Given where the last event before it did not happen, on a what-if. */
  readonly whatIf?: true;
}

export interface GroupView {
  readonly group: string;
  readonly owner: Owner;
  /** The kernel's `owner_cnt`. */
  readonly ownerCount: number;
  /** Where the owner came; null for as long as the log goes back. */
  readonly since: Position;
  /** What GET_STATUS would say. */
  readonly viable: boolean;
  readonly opener: FileView | null;
  readonly container: FileView | null;
}

export interface DeviceView {
  readonly device: string;
  readonly name: string | null;
  readonly group: string | null;
  readonly driver: string | null;
  readonly state: 'absent' | 'idle' | 'open' | 'bound' | 'attached' | 'leaving' | 'unknown';
  /** The owner of its group. */
  readonly owner: Owner;
  readonly since: Position;
  readonly files: readonly FileView[];
}

export interface Table {
  readonly at: Moment;
  readonly groups: readonly GroupView[];
  readonly devices: readonly DeviceView[];
  readonly files: readonly FileView[];
}

export interface Who {
  readonly subject: string;
  readonly at: Moment;
  readonly owner: Owner;
  readonly holders: readonly Holder[];
  readonly waiters: readonly Holder[];
  /** How each of the holders came by what it holds. */
  readonly lineage: readonly Descent[];
}

/** Half-open; `endedBy` is the type of the event at `to`, null while it goes on. */
export interface Interval {
  readonly subject: string;
  readonly from: Position;
  readonly to: Position;
  readonly owner: Owner;
  readonly endedBy: string | null;
  /** Of a group that meant several things: which, from 1 on; see `Incarnation`. */
  readonly incarnation?: number;
}

/** Half-open: while the node of a group stood for the same group. */
export interface Incarnation {
  readonly group: string;
  readonly from: number;
  readonly to: Position;
  readonly boot: string | null;
  /** The devices that VFIO had of it, at any time; none where nobody has said. */
  readonly devices: readonly string[];
}

/** Who was given a device, in the book of a manager; since the event that says so. */
export interface Claimant {
  readonly device: string;
  readonly claimant: string;
  readonly uuid: string | null;
  readonly manager: string;
  readonly since: number;
}

/** A holder, and the position from which on the process had a hand in an ownership. */
export interface Hand extends Holder {
  readonly from: number;
}

/** An interval of ownership in which somebody had a hand. */
export interface Tenure extends Interval {
  /**
   * What each process of theirs held of the owner when it first did; none where the owner is
   * unknown, and may have been theirs.
   */
  readonly by: readonly Hand[];
}

/** Half-open: from the unbind of a driver that was blocked, to its end. */
export interface Wait {
  /** The device that was waited for. */
  readonly subject: string;
  readonly from: number;
  readonly to: Position;
  readonly waiter: Holder;
  /** Who had the device open when the wait began. */
  readonly for: readonly Holder[];
  readonly endedBy: string | null;
}

/** Half-open; two owners or more that the evidence claims for one group at a time. */
export interface Overlap {
  readonly group: string;
  readonly from: number;
  readonly to: Position;
  /** With who kept them alive at the beginning. */
  readonly owners: readonly Owner[];
  /** The kernel drivers, where the kernel is one of the owners. */
  readonly drivers: readonly string[];
  readonly endedBy: string | null;
}

/** A descriptor or a mapping of a process, and what it is of. */
export interface Holding extends Holder {
  readonly kind: FileView['kind'];
  /** The group of a group's file or a device's. */
  readonly group: string | null;
  readonly device: string | null;
  /** The groups whose owner is kept alive through it. */
  readonly keepsOwnerOf: readonly string[];
}

/** A file that is alive although no process has a descriptor or mapping of it. */
export interface Orphan extends FileView {
  /** A group file's own; those that a context owns, or that lie in it. */
  readonly groups: readonly string[];
  /** The devices whose open files keep it alive. */
  readonly devices: readonly string[];
  /** Who owns the group, as `who` says of the file. */
  readonly owner: Owner;
  /** Descriptors and mappings of the files that keep it alive. */
  readonly keptThrough: readonly Holder[];
}

interface BlockerView extends Blocker {
  readonly holders: readonly Holder[];
}

export interface Why {
  readonly position: number;
  readonly operation: string;
  readonly errno: string;
  readonly cause: ObservedCause;
  readonly summary: string;
  readonly blocker: BlockerView | null;
  /** The fewest positions without any one of which it would have passed. */
  readonly because: readonly number[];
  /** The first later position after which the same call would pass. */
  readonly wouldPassAfter: Position;
}

export interface Change {
  readonly subject: string;
  readonly before: Owner;
  readonly after: Owner;
  readonly position: number;
}

export interface Diff {
  readonly from: Position;
  readonly to: Position;
  readonly changes: readonly Change[];
}

/** An attempt that other rules judge otherwise than it went. */
export interface Difference {
  readonly position: number;
  readonly operation: string;
  readonly recorded: Verdict;
  readonly other: Verdict;
}

export interface Replay {
  readonly attempts: number;
  /** Attempts of which nobody can say, because what they were about is not known. */
  readonly unknown: number;
  readonly differences: readonly Difference[];
}

/** Where an invariant was first violated, or an expression over the table first held. */
export interface Bisection<E = unknown> {
  /** Null where it was an expression. */
  readonly invariant: string | null;
  /** The expression; null where it was an invariant. */
  readonly where: string | null;
  readonly position: number;
  readonly event: E;
  /** How it was violated; how the rows stand with which the expression holds. */
  readonly detail: string;
  /**
   * Why the rules would have refused the event; null where they have nothing against it, and for an
   * expression.
   */
  readonly cause: ObservedCause | null;
  /** The fewest positions, ascending, that still show it. */
  readonly prefix: readonly number[];
}

export interface Fault {
  readonly position: Position;
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

export interface Verification {
  readonly events: number;
  /** `POSITION:HASH`, to keep as a witness; position -1 while the log is empty. */
  readonly head: string;
  readonly faults: readonly Fault[];
  /** What is no fault, but ought to be known. */
  readonly notes?: readonly string[];
}
