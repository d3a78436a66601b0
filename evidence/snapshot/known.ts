/**
 * How a log knows its host to stand, for whoever reads the host and tells what is otherwise.
 *
 * @module
 */
import type { DataOf, Fact } from '../../events/vocabulary.ts';
import type { Told } from '../witness/inferences.ts';

export interface KnownFile {
  readonly id: string;
  readonly kind: 'group' | 'container' | 'iommufd' | 'device';
  /** Of a group's file its group, of a device's that of the device. */
  readonly group: string | null;
  /** Null where nobody has said which device of its group it is. */
  readonly device: string | null;
  /** Of a device's file: whether it was got from a group. */
  readonly isGranted: boolean;
  /** The container of a group's file, the iommufd that a device's is bound to. */
  readonly context: string | null;
  /** Of a group's file: whether the group has gone from under it. */
  readonly isDead: boolean;
  /** Of a container: whether it has an IOMMU driver. */
  readonly isReady: boolean;
}

interface KnownDescriptor {
  readonly file: KnownFile;
  readonly cloexec: boolean;
}

export interface KnownProcess {
  readonly pid: number;
  readonly comm: string;
  readonly cgroup: string | null;
  readonly started: string | null;
  readonly descriptors: ReadonlyMap<number, KnownDescriptor>;
  readonly mappings: ReadonlyMap<number, KnownFile>;
}

export interface KnownGroup {
  readonly group: string;
  readonly state: 'unowned' | 'kernel' | 'container' | 'iommufd';
  /** The iommufd that owns it, or its own file. */
  readonly owner: string | null;
  readonly isUnknown: boolean;
  /** How many devices of it have VFIO's drivers. */
  readonly members: number;
}

export interface KnownHost {
  readonly boot: string | null;
  /** Whether it has device nodes of its own for devices. */
  readonly iommufd: boolean;
  readonly devices: ReadonlyMap<string, DataOf<'device.added'>>;
  readonly groups: ReadonlyMap<string, KnownGroup>;
  readonly files: ReadonlyMap<string, KnownFile>;
  readonly processes: ReadonlyMap<number, KnownProcess>;
  /** The device whose driver is changed, and whether that is over without anybody having seen it. */
  readonly change: { readonly device: string; readonly isOver: boolean } | null;
}

/** The host of a log, on trial: what it is told has its consequences, and reaches no log. */
export interface Rehearsal {
  readonly known: KnownHost;
  take(fact: Fact, certainty: Told['certainty']): void;
}
