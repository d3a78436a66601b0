/**
 * The machine of a device: from no VFIO driver to attached, and back.
 *
 * It follows the kernel's `struct vfio_device` (vfio/vfio_main.c): registration, `open_count`, the
 * cdev file that bound it, and the unbind that waits for its last file.
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import type { Targets } from './admission.ts';
import type { DriverKind } from '../operations/driver.ts';
import { flatMachine, type GuardArgs, type Draft } from './flat-machine.ts';

/**
 * `absent` without a VFIO driver, `idle` without an open file, `open`, `bound` to an iommufd
 * through its cdev, `attached` to a page table, `leaving` while the unbind of its driver waits.
 */
export type DeviceState = 'absent' | 'idle' | 'open' | 'bound' | 'attached' | 'leaving';

export interface DeviceRecord {
  /** Open files of the device, bound or not; each of them delays a driver unbind. */
  readonly files: number;
  /** Files that were given access: `open_count`. */
  readonly opens: number;
  /** The cdev file that is bound. */
  readonly boundFile: FileId | null;
  /** The iommufd that it is bound to, through its cdev or through a group with an iommufd. */
  readonly iommufd: FileId | null;
  /** Its object id in that iommufd. */
  readonly id: number | null;
  /** Whether it is attached to the page table of its group. */
  readonly attached: boolean;
}

export type DeviceEvent =
  | { readonly type: 'driver.bound' | 'driver.unbound'; readonly kind: DriverKind }
  | {
      readonly type: 'driver.unbind-blocked';
      /** Whether it waits for the container of the device's group. */
      readonly forContainer: boolean;
    }
  | { readonly type: 'device.opened' }
  | {
      readonly type: 'device.obtained';
      /** The iommufd that the first open binds to, and the id there; null for a container. */
      readonly iommufd: FileId | null;
      readonly id: number | null;
    }
  | {
      readonly type: 'device.bound';
      readonly file: FileId;
      readonly iommufd: FileId;
      readonly id: number;
    }
  | { readonly type: 'device.attached' | 'device.detached' | 'device.reset' }
  | { readonly type: 'device.released'; readonly file: FileId; readonly granted: boolean };

const absent: DeviceRecord = {
  files: 0,
  opens: 0,
  boundFile: null,
  iommufd: null,
  id: null,
  attached: false,
};

type Args = GuardArgs<DeviceRecord, DeviceEvent>;

const guards = {
  notOpen: ({ context }: Args) => context.opens === 0,
  notThroughGroup: ({ context }: Args) => context.opens === 0 || context.boundFile !== null,
  notAttached: ({ context }: Args) => !context.attached,
  /** A device that has no open file, and waits for its group's container, cannot be obtained. */
  hasFile: ({ context }: Args) => context.files > 0,
  forContainer: ({ event }: Args) => event.type === 'driver.unbind-blocked' && event.forContainer,
  vfioDriver: ({ event }: Args) => event.type === 'driver.bound' && event.kind === 'vfio',
  lastFile: ({ context }: Args) => context.files === 1,
  boundFile: ({ context, event }: Args) =>
    event.type === 'device.released' && event.file === context.boundFile,
};

type Guard = keyof typeof guards;

const targets: Targets<DeviceState, DeviceEvent['type'], Guard> = {
  absent: {
    'driver.bound': [['idle', 'vfioDriver'], 'absent'],
    'driver.unbound': 'absent',
  },
  idle: {
    'driver.unbound': 'absent',
    'driver.unbind-blocked': [['leaving', 'forContainer']],
    'device.opened': 'open',
    'device.obtained': 'open',
  },
  open: {
    'driver.unbind-blocked': 'leaving',
    'device.opened': 'open',
    'device.obtained': 'open',
    'device.bound': 'bound',
    'device.reset': 'open',
    'device.released': [['idle', 'lastFile'], 'open'],
  },
  bound: {
    'driver.unbind-blocked': 'leaving',
    'device.opened': 'bound',
    'device.attached': 'attached',
    'device.detached': 'bound',
    'device.reset': 'bound',
    'device.released': [['idle', 'lastFile'], ['open', 'boundFile'], 'bound'],
  },
  attached: {
    'driver.unbind-blocked': 'leaving',
    'device.opened': 'attached',
    'device.attached': 'attached',
    'device.detached': 'bound',
    'device.reset': 'attached',
    'device.released': [['idle', 'lastFile'], ['open', 'boundFile'], 'attached'],
  },
  leaving: {
    'driver.unbound': 'absent',
    'device.opened': 'leaving',
    'device.obtained': 'leaving',
    'device.bound': 'leaving',
    'device.attached': 'leaving',
    'device.detached': 'leaving',
    'device.released': 'leaving',
  },
};

function remember(device: Draft<DeviceRecord>, event: DeviceEvent): void {
  switch (event.type) {
    case 'driver.bound':
    case 'driver.unbind-blocked':
    case 'device.reset':
      return;
    case 'driver.unbound':
      Object.assign(device, absent);
      return;
    case 'device.opened':
      device.files++;
      return;
    case 'device.obtained':
      device.files++;
      device.opens++;
      if (event.iommufd === null) return;
      device.iommufd = event.iommufd;
      device.id = event.id;
      device.attached = true;
      return;
    case 'device.bound':
      device.opens = 1;
      device.boundFile = event.file;
      device.iommufd = event.iommufd;
      device.id = event.id;
      device.attached = false;
      return;
    case 'device.attached':
      device.attached = true;
      return;
    case 'device.detached':
      device.attached = false;
      return;
    case 'device.released': {
      const files = device.files - 1;
      if (event.granted && device.opens === 1) Object.assign(device, absent);
      else if (event.granted) device.opens--;
      device.files = files;
      return;
    }
    default:
      event satisfies never;
  }
}

export const deviceMachine = flatMachine({
  id: 'device',
  fresh: absent,
  guards,
  targets,
  remember,
  copy: (record) => ({ ...record }),
});
