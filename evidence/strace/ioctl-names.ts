/**
 * strace's names for the requests of VFIO and iommufd, and their numbers.
 *
 * The names are not reliable: several requests have one number, and older versions print the name of
 * another request. Only the number counts.
 *
 * @module
 */
import { requestNumbers } from '../../operations/table.ts';

/** The number of a request; null if the name is unknown. */
export function requestNumber(name: string): number | null {
  return requestNumbers.get(name) ?? null;
}

/** The arguments of VFIO_SET_IOMMU and VFIO_CHECK_EXTENSION by name (include/uapi/linux/vfio.h). */
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
