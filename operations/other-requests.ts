/**
 * Ioctls of VFIO and iommufd that are no operation of ours (include/uapi/linux/vfio.h, iommufd.h).
 * Traces name them, and a kernel that knows one answers EFAULT to a null pointer in the place of
 * its structure.
 *
 * @module
 */
import type { FileKind } from './row.ts';

/** The type of all these ioctls, `;`: the second byte of their numbers. */
export const REQUEST_TYPE = 0x3b;

export interface OtherRequest {
  readonly number: number;
  /** Its name in headers and traces; null if no header at hand names it. */
  readonly name: string | null;
  /** The kinds of files that know it, among those that are modelled. */
  readonly on: readonly FileKind[];
  /** Whether Linux 6.12 lacks it. */
  readonly isRecent: boolean;
}

const other = (
  number: number,
  name: string | null,
  on: readonly FileKind[] = [],
  isRecent = false,
): OtherRequest => ({ number, name, on, isRecent });

export const otherRequests: readonly OtherRequest[] = [
  other(0x3b6d, 'VFIO_DEVICE_GET_IRQ_INFO', ['device']),
  other(0x3b6e, 'VFIO_DEVICE_SET_IRQS', ['device']),
  other(0x3b70, 'VFIO_IOMMU_GET_INFO', ['container', 'iommufd']),
  other(0x3b70, 'VFIO_IOMMU_SPAPR_TCE_GET_INFO'),
  other(0x3b72, 'VFIO_DEVICE_QUERY_GFX_PLANE'),
  other(0x3b72, 'VFIO_IOMMU_UNMAP_DMA', ['container', 'iommufd']),
  other(0x3b73, 'VFIO_DEVICE_GET_GFX_DMABUF'),
  other(0x3b73, 'VFIO_IOMMU_ENABLE'),
  other(0x3b74, 'VFIO_DEVICE_IOEVENTFD', ['device']),
  other(0x3b74, 'VFIO_IOMMU_DISABLE'),
  other(0x3b75, 'VFIO_DEVICE_FEATURE', ['device']),
  other(0x3b75, 'VFIO_IOMMU_DIRTY_PAGES', ['container']),
  other(0x3b75, 'VFIO_IOMMU_SPAPR_REGISTER_MEMORY'),
  other(0x3b76, 'VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY'),
  other(0x3b77, 'VFIO_IOMMU_SPAPR_TCE_CREATE'),
  other(0x3b78, 'VFIO_IOMMU_SPAPR_TCE_REMOVE'),
  other(0x3b79, 'VFIO_EEH_PE_OP'),
  other(0x3b79, 'VFIO_MIG_GET_PRECOPY_INFO'),
  other(0x3b82, 'IOMMU_IOAS_ALLOW_IOVAS', ['iommufd']),
  other(0x3b83, 'IOMMU_IOAS_COPY', ['iommufd']),
  other(0x3b84, 'IOMMU_IOAS_IOVA_RANGES', ['iommufd']),
  other(0x3b86, 'IOMMU_IOAS_UNMAP', ['iommufd']),
  other(0x3b87, 'IOMMU_OPTION', ['iommufd']),
  other(0x3b8a, 'IOMMU_GET_HW_INFO', ['iommufd']),
  other(0x3b8b, 'IOMMU_HWPT_SET_DIRTY_TRACKING', ['iommufd']),
  other(0x3b8c, 'IOMMU_HWPT_GET_DIRTY_BITMAP', ['iommufd']),
  other(0x3b8d, 'IOMMU_HWPT_INVALIDATE', ['iommufd']),
  other(0x3b8e, 'IOMMU_FAULT_QUEUE_ALLOC', ['iommufd']),
  other(0x3b8f, 'IOMMU_IOAS_MAP_FILE', ['iommufd'], true),
  other(0x3b90, 'IOMMU_VIOMMU_ALLOC', ['iommufd'], true),
  other(0x3b91, 'IOMMU_VDEVICE_ALLOC', ['iommufd'], true),
  other(0x3b92, 'IOMMU_IOAS_CHANGE_PROCESS', ['iommufd'], true),
  other(0x3b93, 'IOMMU_VEVENTQ_ALLOC', ['iommufd'], true),
  other(0x3b94, 'IOMMU_HW_QUEUE_ALLOC', ['iommufd'], true),
  other(0x3b95, null, ['iommufd'], true),
];
