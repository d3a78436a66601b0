/**
 * What strace calls the requests of VFIO and iommufd, and their numbers.
 *
 * Its names are not to be trusted: several requests have one number, and older versions print for
 * one the name of another. The number is what was asked.
 *
 * @module
 */

/** The numbers of include/uapi/linux/vfio.h and iommufd.h, from 0x3b64 on. */
const NAMES: Readonly<Record<number, string>> = {
  0x64: 'VFIO_GET_API_VERSION',
  0x65: 'VFIO_CHECK_EXTENSION',
  0x66: 'VFIO_SET_IOMMU',
  0x67: 'VFIO_GROUP_GET_STATUS',
  0x68: 'VFIO_GROUP_SET_CONTAINER',
  0x69: 'VFIO_GROUP_UNSET_CONTAINER',
  0x6a: 'VFIO_GROUP_GET_DEVICE_FD',
  0x6b: 'VFIO_DEVICE_GET_INFO',
  0x6c: 'VFIO_DEVICE_GET_REGION_INFO',
  0x6d: 'VFIO_DEVICE_GET_IRQ_INFO',
  0x6e: 'VFIO_DEVICE_SET_IRQS',
  0x6f: 'VFIO_DEVICE_RESET',
  0x70: 'VFIO_DEVICE_GET_PCI_HOT_RESET_INFO VFIO_IOMMU_GET_INFO VFIO_IOMMU_SPAPR_TCE_GET_INFO',
  0x71: 'VFIO_DEVICE_PCI_HOT_RESET VFIO_IOMMU_MAP_DMA',
  0x72: 'VFIO_DEVICE_QUERY_GFX_PLANE VFIO_IOMMU_UNMAP_DMA',
  0x73: 'VFIO_DEVICE_GET_GFX_DMABUF VFIO_IOMMU_ENABLE',
  0x74: 'VFIO_DEVICE_IOEVENTFD VFIO_IOMMU_DISABLE',
  0x75: 'VFIO_DEVICE_FEATURE VFIO_IOMMU_DIRTY_PAGES VFIO_IOMMU_SPAPR_REGISTER_MEMORY',
  0x76: 'VFIO_DEVICE_BIND_IOMMUFD VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY',
  0x77: 'VFIO_DEVICE_ATTACH_IOMMUFD_PT VFIO_IOMMU_SPAPR_TCE_CREATE',
  0x78: 'VFIO_DEVICE_DETACH_IOMMUFD_PT VFIO_IOMMU_SPAPR_TCE_REMOVE',
  0x79: 'VFIO_EEH_PE_OP VFIO_MIG_GET_PRECOPY_INFO',
  0x80: 'IOMMU_DESTROY',
  0x81: 'IOMMU_IOAS_ALLOC',
  0x82: 'IOMMU_IOAS_ALLOW_IOVAS',
  0x83: 'IOMMU_IOAS_COPY',
  0x84: 'IOMMU_IOAS_IOVA_RANGES',
  0x85: 'IOMMU_IOAS_MAP',
  0x86: 'IOMMU_IOAS_UNMAP',
  0x87: 'IOMMU_OPTION',
  0x88: 'IOMMU_VFIO_IOAS',
  0x89: 'IOMMU_HWPT_ALLOC',
  0x8a: 'IOMMU_GET_HW_INFO',
  0x8b: 'IOMMU_HWPT_SET_DIRTY_TRACKING',
  0x8c: 'IOMMU_HWPT_GET_DIRTY_BITMAP',
  0x8d: 'IOMMU_HWPT_INVALIDATE',
  0x8e: 'IOMMU_FAULT_QUEUE_ALLOC',
  0x8f: 'IOMMU_IOAS_MAP_FILE',
  0x90: 'IOMMU_VIOMMU_ALLOC',
  0x91: 'IOMMU_VDEVICE_ALLOC',
  0x92: 'IOMMU_IOAS_CHANGE_PROCESS',
  0x93: 'IOMMU_VEVENTQ_ALLOC',
  0x94: 'IOMMU_HW_QUEUE_ALLOC',
};

export const VFIO_TYPE = 0x3b;

const numbers = new Map(
  Object.entries(NAMES).flatMap(([low, names]) =>
    names.split(' ').map((name) => [name, VFIO_TYPE * 0x100 + Number(low)] as const),
  ),
);

/** The number of a request, null for one that is not known. */
export function requestNumber(name: string): number | null {
  return numbers.get(name) ?? null;
}

/** The argument of VFIO_SET_IOMMU and VFIO_CHECK_EXTENSION. */
export const extensions: ReadonlyMap<string, number> = new Map([
  ['VFIO_TYPE1_IOMMU', 1],
  ['VFIO_SPAPR_TCE_IOMMU', 2],
  ['VFIO_TYPE1v2_IOMMU', 3],
  ['VFIO_DMA_CC_IOMMU', 4],
  ['VFIO_EEH', 5],
  ['VFIO_TYPE1_NESTING_IOMMU', 6],
  ['VFIO_SPAPR_TCE_v2_IOMMU', 7],
  ['VFIO_NOIOMMU_IOMMU', 8],
  ['VFIO_UNMAP_ALL', 9],
  ['VFIO_UPDATE_VADDR', 10],
]);
