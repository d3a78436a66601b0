/**
 * Wordings of QEMU.
 *
 * @module
 */
import type { Wording } from './wording.ts';

const QEMU = 'qemu-system-x86_64: vfio 0000:c4:00.0: ';

const rows: readonly Omit<Wording, 'program'>[] = [
  {
    versions: '1.3 to 10.2',
    source: 'hw/vfio/container-legacy.c:vfio_group_get',
    operation: 'set_container',
    words: String.raw`\bgroup {group} is not viable\b`,
    concluded: 'owned-by-kernel-driver',
    mark: 'iable',
    sample: `${QEMU}group 57 is not viable`,
  },
  {
    versions: '1.3 to 10.2',
    source: 'hw/vfio/container-legacy.c:vfio_container_group_add',
    operation: 'set_container',
    words: String.raw`{failed} set (?:group )?container\b(?!'s)`,
    needs: 'vfio',
    sample: `${QEMU}failed to setup container for group 57: Failed to set group container: Invalid argument`,
  },
  {
    versions: '1.3 to 10.2',
    source: 'hw/vfio/container-legacy.c:vfio_set_iommu',
    operation: 'set_iommu',
    words: String.raw`{failed} set (?:vfio )?iommu(?: type)?\b`,
    sample: `${QEMU}failed to setup container for group 57: failed to set iommu for container: Operation not permitted`,
  },
  {
    versions: '1.3 to 10.2',
    source: 'hw/vfio/container-legacy.c:vfio_device_get',
    operation: 'get_device',
    words: String.raw`error getting device (?:{device} )?from group {group}`,
    needs: 'vfio',
    sample: `${QEMU}error getting device from group 57: Invalid argument`,
  },
  {
    // The device is given twice to one QEMU, which finds it in its own list.
    versions: '1.3 to 10.2',
    source: 'hw/vfio/container-legacy.c:vfio_legacy_attach_device',
    operation: 'get_device',
    words: String.raw`\bdevice is already attached\b`,
    errno: 'hidden',
    needs: 'vfio',
    sample: `${QEMU}device is already attached`,
  },
  {
    versions: '8.2 to 10.2',
    source: 'backends/iommufd.c:iommufd_backend_connect',
    operation: 'open_iommufd',
    words: '/dev/iommu opening failed',
    sample: `${QEMU}/dev/iommu opening failed: No such file or directory`,
  },
  {
    versions: '8.2 to 10.2',
    source: 'hw/vfio/iommufd.c:iommufd_cdev_connect_and_bind',
    operation: 'bind',
    words: String.raw`error bind device fd=-?\d{1,7} to iommufd=-?\d{1,7}`,
    sample: `${QEMU}error bind device fd=26 to iommufd=15: Device or resource busy`,
  },
  {
    versions: '8.2 to 10.2',
    source: 'hw/vfio/iommufd.c:iommufd_cdev_attach_ioas_hwpt',
    operation: 'attach',
    words: String.raw`error attach {device} \(\d{1,7}\) to id=\d{1,10}`,
    sample: `${QEMU}[iommufd=15] error attach 0000:c4:00.0 (26) to id=2: Invalid argument`,
  },
  {
    versions: '1.3 to 10.2',
    source: 'hw/vfio/container-legacy.c:vfio_group_get',
    operation: 'attach',
    words: String.raw`\bgroup {group} used in multiple address spaces`,
    concluded: 'sibling-attached-elsewhere',
    mark: 'address spaces',
    sample: `${QEMU}group 57 used in multiple address spaces`,
  },
  {
    // Older versions print `VFIO_MAP_DMA: -12` before.
    versions: '1.3 to 10.2',
    source: 'hw/vfio/listener.c:vfio_listener_region_add',
    operation: 'map_dma',
    words: String.raw`\bvfio_(?:container_)?dma_map\([^)]{0,200}\)`,
    repeats: ['map_dma', 'ioas_map'],
    sample:
      'kvm: vfio_container_dma_map(0x55, 0x380000000000, 0x10000000, 0x7f) = -22 (Invalid argument)',
  },
  {
    versions: '1.3 to 10.2',
    source: 'hw/vfio/pci.c:vfio_legacy_pci_hot_reset',
    operation: 'hot_reset',
    words: String.raw`cannot reset device {device}, depends on (?:group {ofGroup}|device {ofDevice}) which is not owned`,
    concluded: 'reset-not-owned',
    sample: 'vfio: Cannot reset device 0000:c4:00.0, depends on group 56 which is not owned.',
  },
  {
    versions: '1.3 to 10.2',
    source: 'hw/vfio/pci.c:vfio_legacy_pci_hot_reset',
    operation: 'hot_reset',
    words: 'cannot reset device {device}, no available reset mechanism',
    concluded: 'not-ownership',
    sample: 'vfio: Cannot reset device 0000:c4:00.0, no available reset mechanism.',
  },
];

export const qemu: readonly Wording[] = rows.map((row) => ({ program: 'QEMU', ...row }));
