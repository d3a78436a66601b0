/**
 * Rows of the operations on a container, or on an iommufd that serves as one.
 *
 * @module
 */
import { onFile, type Rows } from './row.ts';

const TYPE1V2 = 3;
/** Both kinds take a container's ioctls (iommu/iommufd/vfio_compat.c). */
const on = ['container', 'iommufd'] as const;

export const containerRows: Rows<'set_iommu' | 'api_version' | 'check_extension' | 'map_dma'> = {
  set_iommu: {
    ...onFile,
    request: { name: 'VFIO_SET_IOMMU', number: 0x3b66, on, argument: 'value' },
    scenario: {
      operands: ['C', 'type?'],
      arguments: ['fd', 'iommu'],
      options: [],
      call: (said) => {
        const iommu = said.number(1, TYPE1V2) >>> 0;
        return { operation: 'set_iommu', pid: said.pid, fd: said.fd(0), iommu };
      },
      names: null,
    },
    traced: (place, { value = null }) => ({ operation: 'set_iommu', ...place, iommu: value }),
    records: [
      {
        type: 'iommu.set',
        data: ({ pid, fd, iommu }) => ({ pid, fd, iommu }),
        call: ({ pid, fd, iommu }) => ({
          call: { operation: 'set_iommu', pid, fd, iommu },
          passed: {},
        }),
      },
    ],
  },
  api_version: {
    ...onFile,
    request: { name: 'VFIO_GET_API_VERSION', number: 0x3b64, on, argument: 'none' },
    scenario: {
      operands: ['C'],
      arguments: ['fd'],
      options: [],
      call: (said) => ({ operation: 'api_version', pid: said.pid, fd: said.fd(0) }),
      names: null,
    },
    traced: (place) => ({ operation: 'api_version', ...place }),
    records: [],
  },
  check_extension: {
    ...onFile,
    request: { name: 'VFIO_CHECK_EXTENSION', number: 0x3b65, on, argument: 'value' },
    scenario: {
      operands: ['C', 'n'],
      arguments: ['fd', 'extension'],
      options: [],
      call: (said) => {
        const extension = said.number(1);
        return { operation: 'check_extension', pid: said.pid, fd: said.fd(0), extension };
      },
      names: null,
    },
    traced: (place, { value = null }) => {
      return { operation: 'check_extension', ...place, extension: value };
    },
    records: [],
  },
  map_dma: {
    ...onFile,
    request: { name: 'VFIO_IOMMU_MAP_DMA', number: 0x3b71, on, argument: 'pointer' },
    scenario: {
      operands: ['C'],
      arguments: ['fd'],
      options: ['iova', 'size'],
      call: (said) => ({ operation: 'map_dma', pid: said.pid, fd: said.fd(0), ...said.range }),
      names: null,
    },
    traced: (place) => ({ operation: 'map_dma', ...place, iova: null, size: null }),
    records: [
      {
        type: 'ioas.mapped',
        data: ({ pid, fd, iova, size }, { isFirstMap }) =>
          isFirstMap === true ? { pid, fd, iova, size } : null,
        call: ({ pid, fd, ioas, iova, size }) => {
          if (ioas !== undefined) return null;
          const call = { operation: 'map_dma', pid, fd, iova, size } as const;
          return { call, passed: { isFirstMap: true } };
        },
      },
    ],
  },
};
