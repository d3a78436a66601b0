/**
 * A host at a moment, as far as answers need it. The machines are one; the time index makes others.
 *
 * @module
 */
import type { Certainty } from '../events/vocabulary.ts';
import type { DeviceState } from '../machines/device.ts';
import type { GroupRecord, GroupState } from '../machines/group.ts';
import type { GroupFileRecord, GroupFileState } from '../machines/group-file.ts';
import type { DriverChange } from '../machines/host.ts';
import type { FileId, Holder } from '../processes/process-table.ts';

export interface GroupAt {
  readonly group: string;
  readonly state: GroupState;
  readonly record: Pick<GroupRecord, 'opener' | 'owner' | 'claims'>;
  readonly unknownSince: number | null;
  readonly certainty: Certainty;
}

export interface DeviceAt {
  readonly device: string;
  readonly name: string | null;
  readonly group: GroupAt | null;
  readonly driver: string | null;
  readonly cdev: string | null;
  readonly state: DeviceState;
}

interface Opened {
  readonly id: FileId;
  /** Files that this one keeps alive, in the kernel. */
  readonly pins: ReadonlySet<FileId>;
  /** Files that keep this one alive, in the kernel. */
  readonly pinnedBy: ReadonlySet<FileId>;
}

export type FileAt = Opened &
  (
    | {
        readonly kind: 'group';
        readonly group: GroupAt;
        readonly state: GroupFileState;
        readonly record: Pick<GroupFileRecord, 'container'>;
      }
    | { readonly kind: 'device'; readonly device: DeviceAt }
    | { readonly kind: 'container' | 'iommufd' | 'other' }
  );

export interface HostSnapshot {
  /** False where the events before the first are not at hand, until the host boots. */
  readonly isKnown: boolean;
  readonly driverChange:
    | (Pick<DriverChange, 'waiter' | 'outcome'> & {
        readonly device: Pick<DeviceAt, 'device'>;
      })
    | null;
  readonly processes: { holders(file: FileId): Holder[] };
  group(group: string): GroupAt | undefined;
  groups(): Iterable<GroupAt>;
  device(device: string): DeviceAt | undefined;
  devices(): Iterable<DeviceAt>;
  file(id: FileId): FileAt | undefined;
  files(): Iterable<FileAt>;
  /** Whether a descriptor or a mapping holds the file. */
  isHeld(id: FileId): boolean;
}
