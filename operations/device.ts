/**
 * Rows of the operations on a device's file: bind, attach, detach, information and resets.
 *
 * @module
 */
import { recordedPasid, saidPasid, shapeWithPasid, tracedPasid } from './pasid.ts';
import { shapeOf } from './traced-words.ts';
import { onFile, type Rows } from './row.ts';

const shaped = ['argsz', 'flags'];

export const deviceRows: Rows<
  | 'bind'
  | 'attach'
  | 'detach'
  | 'device_info'
  | 'region_info'
  | 'reset'
  | 'hot_reset_info'
  | 'hot_reset'
> = {
  bind: {
    ...onFile,
    request: {
      name: 'VFIO_DEVICE_BIND_IOMMUFD',
      number: 0x3b76,
      on: ['device'],
      argument: 'pointer',
    },
    descriptors: ['iommufd'],
    context: 'given',
    scenario: {
      operands: ['A', 'I'],
      arguments: ['fd', 'iommufd'],
      options: shaped,
      call: (said) => {
        const { pid, shape } = said;
        return { operation: 'bind', pid, fd: said.fd(0), iommufd: said.fd(1), ...shape };
      },
      names: (naming, { id = -1 }) => naming.nameId(0, id),
    },
    traced: (place, words) => {
      const { iommufd = null } = words;
      return { operation: 'bind', ...place, ...shapeOf(words), iommufd };
    },
    records: [
      {
        type: 'device.bound',
        data: ({ pid, fd, iommufd }, { id = null }) => ({ pid, fd, iommufd, id }),
        call: ({ pid, fd, iommufd, id }) => ({
          call: { operation: 'bind', pid, fd, iommufd },
          passed: { id: id ?? undefined },
        }),
      },
    ],
  },
  attach: {
    ...onFile,
    context: 'used',
    request: {
      name: 'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
      number: 0x3b77,
      on: ['device'],
      argument: 'pointer',
    },
    scenario: {
      operands: ['A', 'X'],
      arguments: ['fd', 'pt'],
      options: [...shaped, 'pasid'],
      call: (said) => ({
        operation: 'attach',
        pid: said.pid,
        fd: said.fd(0),
        pt: said.object(1),
        ...said.shape,
        ...saidPasid(said),
      }),
      names: null,
    },
    traced: (place, words) => {
      const { pt = null } = words;
      return { operation: 'attach', ...place, ...shapeOf(words), ...tracedPasid(words), pt };
    },
    records: [
      {
        type: 'device.attached',
        data: ({ pid, fd, pt, ...shape }, { hwpt = null }) => {
          return { pid, fd, pt, hwpt, ...recordedPasid(shape) };
        },
        call: ({ pid, fd, pt, hwpt, pasid }) => ({
          call: { operation: 'attach', pid, fd, pt, ...shapeWithPasid(16, pasid) },
          passed: { hwpt: hwpt ?? undefined },
        }),
      },
    ],
  },
  detach: {
    ...onFile,
    context: 'used',
    request: {
      name: 'VFIO_DEVICE_DETACH_IOMMUFD_PT',
      number: 0x3b78,
      on: ['device'],
      argument: 'pointer',
    },
    scenario: {
      operands: ['A'],
      arguments: ['fd'],
      options: [...shaped, 'pasid'],
      call: (said) => {
        const { pid, shape } = said;
        return { operation: 'detach', pid, fd: said.fd(0), ...shape, ...saidPasid(said) };
      },
      names: null,
    },
    traced: (place, words) => {
      return { operation: 'detach', ...place, ...shapeOf(words), ...tracedPasid(words) };
    },
    records: [
      {
        type: 'device.detached',
        data: ({ pid, fd, ...shape }) => ({ pid, fd, ...recordedPasid(shape) }),
        call: ({ pid, fd, pasid }) => ({
          call: { operation: 'detach', pid, fd, ...shapeWithPasid(12, pasid) },
          passed: {},
        }),
      },
    ],
  },
  device_info: {
    ...onFile,
    request: { name: 'VFIO_DEVICE_GET_INFO', number: 0x3b6b, on: ['device'], argument: 'pointer' },
    scenario: {
      operands: ['A'],
      arguments: ['fd'],
      options: [],
      call: (said) => ({ operation: 'device_info', pid: said.pid, fd: said.fd(0) }),
      names: null,
    },
    traced: (place) => ({ operation: 'device_info', ...place }),
    records: [],
  },
  region_info: {
    ...onFile,
    request: {
      name: 'VFIO_DEVICE_GET_REGION_INFO',
      number: 0x3b6c,
      on: ['device'],
      argument: 'pointer',
    },
    scenario: {
      operands: ['A', 'n'],
      arguments: ['fd', 'region'],
      options: [],
      call: (said) => {
        return { operation: 'region_info', pid: said.pid, fd: said.fd(0), region: said.number(1) };
      },
      names: null,
    },
    traced: (place) => ({ operation: 'region_info', ...place, region: null }),
    records: [],
  },
  reset: {
    ...onFile,
    request: { name: 'VFIO_DEVICE_RESET', number: 0x3b6f, on: ['device'], argument: 'none' },
    scenario: {
      operands: ['A'],
      arguments: ['fd'],
      options: [],
      call: (said) => ({ operation: 'reset', pid: said.pid, fd: said.fd(0) }),
      names: null,
    },
    traced: (place) => ({ operation: 'reset', ...place }),
    records: [
      {
        type: 'device.reset',
        data: ({ pid, fd }) => ({ pid, fd }),
        call: ({ pid, fd }) => ({ call: { operation: 'reset', pid, fd }, passed: {} }),
      },
    ],
  },
  hot_reset_info: {
    ...onFile,
    request: {
      name: 'VFIO_DEVICE_GET_PCI_HOT_RESET_INFO',
      number: 0x3b70,
      on: ['device'],
      argument: 'pointer',
    },
    scenario: {
      operands: ['A'],
      arguments: ['fd'],
      options: [],
      call: (said) => ({ operation: 'hot_reset_info', pid: said.pid, fd: said.fd(0) }),
      names: null,
    },
    traced: (place) => ({ operation: 'hot_reset_info', ...place }),
    records: [],
  },
  hot_reset: {
    ...onFile,
    request: {
      name: 'VFIO_DEVICE_PCI_HOT_RESET',
      number: 0x3b71,
      on: ['device'],
      argument: 'pointer',
    },
    descriptors: ['groups'],
    scenario: {
      operands: ['A', 'G*'],
      arguments: ['fd', 'groups'],
      options: [],
      call: (said) => {
        return { operation: 'hot_reset', pid: said.pid, fd: said.fd(0), groups: said.fds(1) };
      },
      names: null,
    },
    traced: (place) => ({ operation: 'hot_reset', ...place, groups: null }),
    records: [
      {
        type: 'device.hot-reset',
        data: ({ pid, fd, groups }) => ({ pid, fd, groups }),
        call: ({ pid, fd, groups }) => ({
          call: { operation: 'hot_reset', pid, fd, groups },
          passed: {},
        }),
      },
    ],
  },
};
