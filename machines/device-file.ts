/**
 * The machine of a device's file: which operations it takes depends on how it was opened.
 *
 * It models the kernel's `struct vfio_device_file` (vfio/vfio.h): `access_granted`, `group`.
 *
 * @module
 */
import type { Targets } from './admission.ts';
import { flatMachine } from './flat-machine.ts';

/** `unbound` and `bound` for an open of the cdev, `granted` for a file obtained from a group. */
export type DeviceFileState = 'unbound' | 'bound' | 'granted';

export type DeviceFileEvent = {
  /** `file.granted`: it was obtained from a group, and may be used at once. */
  readonly type: 'file.granted' | 'device.bound' | 'device.attached' | 'device.detached';
};

const targets: Targets<DeviceFileState, DeviceFileEvent['type'], never> = {
  unbound: { 'file.granted': 'granted', 'device.bound': 'bound' },
  bound: {
    'device.bound': 'bound',
    'device.attached': 'bound',
    'device.detached': 'bound',
  },
  granted: {},
};

/** A machine without memory. */
export const deviceFileMachine = flatMachine({
  id: 'deviceFile',
  fresh: {},
  guards: {},
  targets,
  remember: (_nothing: object, _event: DeviceFileEvent) => {},
  copy: (record: object) => ({ ...record }),
});
