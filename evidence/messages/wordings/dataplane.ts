/**
 * Wordings of DPDK, of what stands on it (SPDK, ODP), and of VPP.
 *
 * @module
 */
import type { Wording } from './wording.ts';

export const dataplane: readonly Wording[] = [
  {
    program: 'DPDK',
    versions: '1.7 to 25.11',
    source: 'lib/eal/linux/eal_vfio.c:rte_vfio_get_container_fd',
    operation: 'open_container',
    words: String.raw`{failed} open (?:the )?vfio container\b`,
    sample: 'EAL:   cannot open VFIO container, error 2 (No such file or directory)',
  },
  {
    program: 'DPDK',
    versions: '1.7 to 25.11',
    source: 'lib/eal/linux/eal_vfio.c:rte_vfio_setup_device',
    operation: 'group_status',
    words: String.raw`{failed} get (?:the )?vfio group status\b`,
    sample:
      'EAL:   0000:c4:00.0 cannot get VFIO group status, error 25 (Inappropriate ioctl for device)',
  },
  {
    program: 'DPDK, ODP',
    versions: '1.7 to 25.11',
    source: 'lib/eal/linux/eal_vfio.c:rte_vfio_setup_device',
    operation: 'set_container',
    words: String.raw`\bVFIO group is not viable\b`,
    concluded: 'owned-by-kernel-driver',
    sample:
      'EAL: 0000:c4:00.0 VFIO group is not viable! Not all devices in IOMMU group bound to VFIO or unbound',
  },
  {
    program: 'DPDK, ODP',
    versions: '1.7 to 25.11',
    source: 'lib/eal/linux/eal_vfio.c:rte_vfio_setup_device',
    operation: 'set_container',
    words: String.raw`{failed} add (?:the )?vfio group to (?:the )?container`,
    sample:
      'EAL:   0000:c4:00.0 cannot add VFIO group to container, error 16 (Device or resource busy)',
  },
  {
    program: 'DPDK',
    versions: '1.7 to 25.11',
    source: 'lib/eal/linux/eal_vfio.c:vfio_set_iommu_type',
    operation: 'set_iommu',
    words: String.raw`\bset IOMMU type \d{1,4} \([^)]{0,40}\) failed`,
    sample: 'EAL: Set IOMMU type 1 (Type 1) failed, error 19 (No such device)',
  },
  {
    program: 'DPDK',
    versions: '1.7 to 25.11',
    source: 'lib/eal/linux/eal_vfio.c:rte_vfio_setup_device',
    operation: 'set_iommu',
    words: String.raw`\b(?:{device} )?failed to select IOMMU type\b`,
    errno: 'hidden',
    repeats: ['set_iommu'],
    sample: 'EAL:   0000:c4:00.0 failed to select IOMMU type',
  },
  {
    program: 'DPDK',
    versions: '1.7 to 25.11',
    source: 'lib/eal/linux/eal_vfio.c:rte_vfio_setup_device',
    operation: 'get_device',
    words: String.raw`\bGetting a vfio_dev_fd for {device} failed`,
    errno: 'optional',
    sample: 'EAL: Getting a vfio_dev_fd for 0000:c4:00.0 failed',
  },
  {
    program: 'DPDK',
    versions: '1.7 to 25.11',
    source: 'lib/eal/linux/eal_vfio.c:vfio_type1_dma_mem_map',
    operation: 'map_dma',
    words: String.raw`\bcannot set up DMA remapping\b`,
    mark: 'remapping',
    sample: 'EAL: Cannot set up DMA remapping, error 12 (Cannot allocate memory)',
  },
  {
    program: 'DPDK',
    versions: '1.7 to 25.11',
    source: 'lib/eal/linux/eal_vfio.c:rte_vfio_setup_device',
    operation: 'map_dma',
    words: String.raw`\bDMA remapping failed\b`,
    repeats: ['map_dma'],
    mark: 'remapping',
    sample: 'EAL:   0000:c4:00.0 DMA remapping failed, error 12 (Cannot allocate memory)',
  },
  {
    program: 'VPP',
    versions: '18.04 to 25.10',
    source: 'src/vlib/linux/vfio.c:open_vfio_iommu_group',
    operation: 'set_container',
    words: String.raw`\bioctl\(VFIO_GROUP_SET_CONTAINER\) '/dev/vfio/{group}'`,
    sample:
      "open_vfio_iommu_group: ioctl(VFIO_GROUP_SET_CONTAINER) '/dev/vfio/57': Device or resource busy (errno 16)",
  },
  {
    program: 'VPP',
    versions: '18.04 to 25.10',
    source: 'src/vlib/linux/vfio.c:open_vfio_iommu_group',
    operation: 'set_iommu',
    words: String.raw`\bioctl\(VFIO_SET_IOMMU\) '/dev/vfio/vfio'`,
    sample:
      "open_vfio_iommu_group: ioctl(VFIO_SET_IOMMU) '/dev/vfio/vfio': Operation not permitted (errno 1)",
  },
  {
    program: 'VPP',
    versions: '18.04 to 25.10',
    source: 'src/vlib/linux/vfio.c:linux_vfio_group_get_device_fd',
    operation: 'get_device',
    words: String.raw`\bioctl\(VFIO_GROUP_GET_DEVICE_FD\) '{device}'`,
    sample:
      "linux_vfio_group_get_device_fd: ioctl(VFIO_GROUP_GET_DEVICE_FD) '0000:c4:00.0': Invalid argument (errno 22)",
  },
];
