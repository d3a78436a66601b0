/**
 * Rows of the operations on a group's file: its container, and the devices obtained from it.
 *
 * @module
 */
import { nameOf } from './traced-words.ts';
import { onFile, type Rows } from './row.ts';

export const groupRows: Rows<'group_status' | 'set_container' | 'unset_container' | 'get_device'> =
  {
    group_status: {
      ...onFile,
      isOfGroup: true,
      tells: 'group-status',
      request: {
        name: 'VFIO_GROUP_GET_STATUS',
        number: 0x3b67,
        on: ['group'],
        argument: 'pointer',
      },
      scenario: {
        operands: ['G'],
        arguments: ['fd'],
        options: [],
        call: (said) => ({ operation: 'group_status', pid: said.pid, fd: said.fd(0) }),
        names: null,
      },
      traced: (place) => ({ operation: 'group_status', ...place }),
      records: [],
    },
    set_container: {
      ...onFile,
      request: {
        name: 'VFIO_GROUP_SET_CONTAINER',
        number: 0x3b68,
        on: ['group'],
        argument: 'pointer',
      },
      descriptors: ['container'],
      context: 'given',
      isOfGroup: true,
      scenario: {
        operands: ['G', 'C'],
        arguments: ['fd', 'container'],
        options: [],
        call: (said) => {
          return {
            operation: 'set_container',
            pid: said.pid,
            fd: said.fd(0),
            container: said.fd(1),
          };
        },
        names: null,
      },
      traced: (place, { container = null }) => ({
        operation: 'set_container',
        ...place,
        container,
      }),
      records: [
        {
          type: 'container.set',
          data: ({ pid, fd, container }) => ({ pid, fd, container }),
          call: ({ pid, fd, container }) => ({
            call: { operation: 'set_container', pid, fd, container },
            passed: {},
          }),
        },
      ],
    },
    unset_container: {
      ...onFile,
      context: 'taken',
      isOfGroup: true,
      request: {
        name: 'VFIO_GROUP_UNSET_CONTAINER',
        number: 0x3b69,
        on: ['group'],
        argument: 'none',
      },
      scenario: {
        operands: ['G'],
        arguments: ['fd'],
        options: [],
        call: (said) => ({ operation: 'unset_container', pid: said.pid, fd: said.fd(0) }),
        names: null,
      },
      traced: (place) => ({ operation: 'unset_container', ...place }),
      records: [
        {
          type: 'container.unset',
          data: ({ pid, fd }) => ({ pid, fd }),
          call: ({ pid, fd }) => ({ call: { operation: 'unset_container', pid, fd }, passed: {} }),
        },
      ],
    },
    get_device: {
      ...onFile,
      context: 'used',
      request: {
        name: 'VFIO_GROUP_GET_DEVICE_FD',
        number: 0x3b6a,
        on: ['group'],
        argument: 'pointer',
      },
      handsOut: ({ pid }, lowestFree) => lowestFree(pid),
      scenario: {
        operands: ['A', 'G', 'device'],
        arguments: [null, 'fd', 'device'],
        options: [],
        call: (said) => {
          return { operation: 'get_device', pid: said.pid, fd: said.fd(1), device: said.device(2) };
        },
        names: (naming, { rc }) => naming.name(0, rc),
      },
      traced: (place, { device }) => ({
        operation: 'get_device',
        ...place,
        device: nameOf(device),
      }),
      records: [
        {
          type: 'device.obtained',
          data: ({ pid, fd, device }, { rc }) => ({ pid, fd, device, as: rc }),
          call: ({ pid, fd, device, as }) => ({
            call: { operation: 'get_device', pid, fd, device },
            passed: { rc: as },
          }),
        },
      ],
    },
  };
