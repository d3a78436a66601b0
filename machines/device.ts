/**
 * The machine of a device: from no VFIO driver to attached, and out again.
 *
 * It follows the kernel's `struct vfio_device` (vfio/vfio_main.c): registration, `open_count`, the
 * cdev file that bound it, and the unbind that waits for its last file.
 *
 * @module
 */
import { assign, setup } from 'xstate';
import type { FileId } from '../processes/process-table.ts';
import { guardedStates, type Admission, type Targets } from './admission.ts';
import type { DriverKind } from './driver.ts';

export type DeviceState = 'absent' | 'idle' | 'open' | 'bound' | 'attached' | 'leaving';

export interface DeviceRecord {
  /** Files of the device, bound or not; each of them holds back a driver unbind. */
  readonly files: number;
  /** Files that were given access: `open_count`. */
  readonly opens: number;
  /** The cdev file that is bound. */
  readonly boundFile: FileId | null;
  /** The context that it is bound to, through its cdev or through a group with an iommufd. */
  readonly iommufd: FileId | null;
  /** Its object id in that context. */
  readonly id: number | null;
  /** Whether it is attached to the page table of its group. */
  readonly attached: boolean;
}

export type DeviceEvent =
  | { readonly type: 'driver.bound' | 'driver.unbound'; readonly kind: DriverKind }
  | { readonly type: 'driver.unbind-blocked' }
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

interface Asked {
  readonly context: DeviceRecord;
  readonly event: DeviceEvent;
}

const deviceGuards = {
  notOpen: ({ context }: Asked) => context.opens === 0,
  notThroughGroup: ({ context }: Asked) => context.opens === 0 || context.boundFile !== null,
  notAttached: ({ context }: Asked) => !context.attached,
  vfioDriver: ({ event }: Asked) => event.type === 'driver.bound' && event.kind === 'vfio',
  lastFile: ({ context }: Asked) => context.files === 1,
  boundFile: ({ context, event }: Asked) =>
    event.type === 'device.released' && event.file === context.boundFile,
};

type Guard = keyof typeof deviceGuards;

const targets: Targets<DeviceState, DeviceEvent['type'], Guard> = {
  absent: {
    'driver.bound': [['idle', 'vfioDriver'], 'absent'],
    'driver.unbound': 'absent',
  },
  idle: {
    'driver.unbound': 'absent',
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

/** What the device remembers after an event that it admitted. */
export function recordDevice(device: DeviceRecord, event: DeviceEvent): DeviceRecord {
  switch (event.type) {
    case 'driver.bound':
    case 'driver.unbind-blocked':
    case 'device.reset':
      return device;
    case 'driver.unbound':
      return absent;
    case 'device.opened':
      return { ...device, files: device.files + 1 };
    case 'device.obtained': {
      const opened = { ...device, files: device.files + 1, opens: device.opens + 1 };
      if (event.iommufd === null) return opened;
      return { ...opened, iommufd: event.iommufd, id: event.id, attached: true };
    }
    case 'device.bound':
      return {
        ...device,
        opens: 1,
        boundFile: event.file,
        iommufd: event.iommufd,
        id: event.id,
        attached: false,
      };
    case 'device.attached':
      return { ...device, attached: true };
    case 'device.detached':
      return { ...device, attached: false };
    case 'device.released': {
      const files = device.files - 1;
      if (!event.granted) return { ...device, files };
      return device.opens === 1
        ? { ...absent, files }
        : { ...device, files, opens: device.opens - 1 };
    }
  }
}

export function deviceMachine(admission: Admission) {
  return setup({
    types: {} as { context: DeviceRecord; events: DeviceEvent },
    guards: deviceGuards,
    actions: { record: assign(({ context, event }) => recordDevice(context, event)) },
  }).createMachine({
    id: 'device',
    initial: 'absent',
    context: absent,
    states: guardedStates(targets, admission),
  });
}
