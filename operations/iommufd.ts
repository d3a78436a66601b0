/**
 * Rows of the operations on an iommufd and its objects.
 *
 * @module
 */
import { onFile, type Rows } from './row.ts';

const on = ['iommufd'] as const;
/** By the number that the kernel has for it (include/uapi/linux/iommufd.h: enum iommufd_vfio_ioas_op). */
const compatActions = ['get', 'set', 'clear'] as const;

export const iommufdRows: Rows<
  'alloc_ioas' | 'alloc_hwpt' | 'destroy' | 'ioas_map' | 'compat_ioas'
> = {
  alloc_ioas: {
    ...onFile,
    request: { name: 'IOMMU_IOAS_ALLOC', number: 0x3b81, on, argument: 'pointer' },
    scenario: {
      operands: ['I', 'X'],
      arguments: ['fd', null],
      options: [],
      call: (said) => ({ operation: 'alloc_ioas', pid: said.pid, fd: said.fd(0) }),
      names: (naming, { id = -1 }) => naming.name(1, id),
    },
    traced: (place) => ({ operation: 'alloc_ioas', ...place }),
    records: [
      {
        type: 'ioas.allocated',
        data: ({ pid, fd }, { id = null }) => ({ pid, fd, id }),
        call: ({ pid, fd, id }) => ({
          call: { operation: 'alloc_ioas', pid, fd },
          passed: { id: id ?? undefined },
        }),
      },
    ],
  },
  alloc_hwpt: {
    ...onFile,
    request: { name: 'IOMMU_HWPT_ALLOC', number: 0x3b89, on, argument: 'pointer' },
    scenario: {
      operands: ['I', 'A', 'X', 'H'],
      arguments: ['fd', 'device', 'pt', null],
      options: ['flags'],
      call: (said) => {
        const [device, pt] = [said.boundId(1), said.object(2)];
        const call = {
          operation: 'alloc_hwpt',
          pid: said.pid,
          fd: said.fd(0),
          device,
          pt,
        } as const;
        return { ...call, ...said.shape };
      },
      names: (naming, { id = -1 }) => naming.name(3, id),
    },
    traced: (place, { pt = null, flags }) => {
      const shown = flags === undefined ? {} : { flags };
      return { operation: 'alloc_hwpt', ...place, device: null, pt, ...shown };
    },
    records: [
      {
        type: 'hwpt.allocated',
        data: ({ pid, fd, device, pt, flags = 0 }, { id = null }) => {
          return { pid, fd, device, pt, id, ...(flags > 0 && { flags }) };
        },
        call: ({ pid, fd, device, pt, id, flags }) => ({
          call: {
            operation: 'alloc_hwpt',
            pid,
            fd,
            device,
            pt,
            ...(flags !== undefined && { flags }),
          },
          passed: { id: id ?? undefined },
        }),
      },
    ],
  },
  destroy: {
    ...onFile,
    request: { name: 'IOMMU_DESTROY', number: 0x3b80, on, argument: 'pointer' },
    scenario: {
      operands: ['I', 'X'],
      arguments: ['fd', 'object'],
      options: [],
      call: (said) => {
        return { operation: 'destroy', pid: said.pid, fd: said.fd(0), object: said.object(1) };
      },
      names: null,
    },
    traced: (place, { object = null }) => ({ operation: 'destroy', ...place, object }),
    records: [
      {
        type: 'object.destroyed',
        data: ({ pid, fd, object }) => ({ pid, fd, object }),
        call: ({ pid, fd, object }) => ({
          call: { operation: 'destroy', pid, fd, object },
          passed: {},
        }),
      },
    ],
  },
  ioas_map: {
    ...onFile,
    request: { name: 'IOMMU_IOAS_MAP', number: 0x3b85, on, argument: 'pointer' },
    scenario: {
      operands: ['I', 'X'],
      arguments: ['fd', 'ioas'],
      options: ['iova', 'size'],
      call: (said) => {
        const { pid, range } = said;
        return { operation: 'ioas_map', pid, fd: said.fd(0), ioas: said.object(1), ...range };
      },
      names: null,
    },
    traced: (place, { ioas = null }) => {
      return { operation: 'ioas_map', ...place, ioas, iova: null, size: null };
    },
    records: [
      {
        type: 'ioas.mapped',
        data: ({ pid, fd, ioas, iova, size }, { isFirstMap }) =>
          isFirstMap === true ? { pid, fd, ioas, iova, size } : null,
        call: ({ pid, fd, ioas, iova, size }) => {
          if (ioas === undefined) return null;
          const call = { operation: 'ioas_map', pid, fd, ioas, iova, size } as const;
          return { call, passed: { isFirstMap: true } };
        },
      },
    ],
  },
  compat_ioas: {
    ...onFile,
    request: { name: 'IOMMU_VFIO_IOAS', number: 0x3b88, on, argument: 'pointer' },
    scenario: {
      operands: ['I', 'action', 'X?'],
      arguments: ['fd', 'action', 'ioas'],
      options: [],
      call: (said) => {
        const action = said.word(1) as 'get' | 'set' | 'clear';
        const ioas = action === 'set' ? said.object(2) : -1;
        return { operation: 'compat_ioas', pid: said.pid, fd: said.fd(0), action, ioas };
      },
      names: (naming, { id = -1 }, { action }) => {
        if (action === 'get') naming.name(2, id);
      },
    },
    traced: (place, { op = -1, ioas = null }) => {
      const action = compatActions[op] ?? null;
      const given = action === null || action === 'set' ? ioas : -1;
      return { operation: 'compat_ioas', ...place, action, ioas: given };
    },
    records: [
      {
        type: 'compat-ioas.set',
        data: ({ pid, fd, action, ioas }) => (action === 'set' ? { pid, fd, ioas } : null),
        call: ({ pid, fd, ioas }) => ({
          call: { operation: 'compat_ioas', pid, fd, action: 'set', ioas },
          passed: {},
        }),
      },
      {
        type: 'compat-ioas.cleared',
        data: ({ pid, fd, action }) => (action === 'clear' ? { pid, fd } : null),
        call: ({ pid, fd }) => ({
          call: { operation: 'compat_ioas', pid, fd, action: 'clear', ioas: -1 },
          passed: {},
        }),
      },
    ],
  },
};
