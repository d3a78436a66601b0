/**
 * The machine of a device's file: what it may be asked depends on how it was opened.
 *
 * The kernel's `struct vfio_device_file` (vfio/vfio.h): `access_granted`, `group`.
 *
 * @module
 */
import { assign, setup } from 'xstate';
import { guardedStates, type Admission, type Targets } from './admission.ts';

/** `unbound` and `bound` for an open of the cdev, `granted` for a file got from a group. */
export type DeviceFileState = 'unbound' | 'bound' | 'granted';

export type DeviceFileEvent = {
  /** `file.granted`: it was got from a group, and may be used at once. */
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

export function deviceFileMachine(admission: Admission) {
  return setup({
    types: {} as { context: object; events: DeviceFileEvent },
    actions: { record: assign({}) },
  }).createMachine({
    id: 'deviceFile',
    initial: 'unbound',
    context: {},
    states: guardedStates(targets, admission),
  });
}
