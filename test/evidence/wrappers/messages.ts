/**
 * Messages in the grammars that the readers of messages know, bare: samples for every wrapper.
 *
 * @module
 */

const DEVICE = '0000:c4:00.0';
const UUID = '5d0d1c5e-3f1b-4c2a-9b7e-2f6a4f1d9c33';

/** Messages of kernels. */
export const kernelMessages: readonly string[] = [
  `vfio-pci ${DEVICE}: Relaying device request to user (#0)`,
  `vfio-pci ${DEVICE}: No device request channel registered, blocked until released by user`,
  `vfio-pci ${DEVICE}: Device is currently in use, task "driverctl" (2718) blocked until device is released`,
  `pci ${DEVICE}: Adding to iommu group 57`,
  `pci ${DEVICE}: Removing from iommu group 57`,
  `iommu: Adding device ${DEVICE} to group 57`,
  `vfio_mdev ${UUID}: Adding to iommu group 58`,
  `vfio-pci ${DEVICE}: vfio-noiommu device opened by user (l2fwd:2718)`,
  `vfio-pci: probe of ${DEVICE} failed with error -22`,
  `vfio-pci ${DEVICE}: probe with driver vfio-pci failed with error -16`,
  `vfio-pci ${DEVICE}: Firmware has requested this device have a 1:1 IOMMU mapping, rejecting`,
  `vfio-pci ${DEVICE}: Device is ineligible for IOMMU domain attach due to platform RMRR requirement.  Contact your platform vendor.`,
  'vfio_pin_pages_remote: RLIMIT_MEMLOCK (8388608) exceeded',
  `vfio-pci ${DEVICE}: enabling device (0140 -> 0142)`,
];

/** Messages of programs. */
export const programMessages: readonly string[] = [
  'EAL: Cannot open /dev/vfio/57: Device or resource busy',
  'EAL: Cannot open /dev/vfio/noiommu-1: Operation not permitted',
  `EAL:   ${DEVICE} cannot add VFIO group to container, error 16 (Device or resource busy)`,
  'EAL: Set IOMMU type 1 (Type 1) failed, error 19 (No such device)',
  `EAL: ${DEVICE} VFIO group is not viable! Not all devices in IOMMU group bound to VFIO or unbound`,
  'EAL: Cannot set up DMA remapping, error 12 (Cannot allocate memory)',
  `qemu-system-x86_64: -device vfio-pci,host=${DEVICE}: vfio ${DEVICE}: failed to open /dev/vfio/57: Device or resource busy`,
  `qemu-kvm: -device vfio-pci,host=${DEVICE}: vfio ${DEVICE}: group 57 is not viable`,
  `qemu-system-aarch64: vfio ${DEVICE}: error getting device from group 57: Invalid argument`,
  `kvm: vfio ${DEVICE}: error bind device fd=26 to iommufd=15: Device or resource busy`,
  `kvm: vfio ${DEVICE}: [iommufd=15] error attach ${DEVICE} (26) to id=2: Invalid argument`,
  `vfio: Cannot reset device ${DEVICE}, depends on group 56 which is not owned.`,
  'kvm: VFIO_MAP_DMA failed: Bad address',
  'error opening /dev/iommu: No such file or directory',
  'could not open /dev/vfio/vfio: Permission denied',
  "OSError: [Errno 16] Device or resource busy: '/dev/vfio/57'",
  'open /dev/vfio/57: device or resource busy',
  "Error: EBUSY: resource busy or locked, open '/dev/vfio/57'",
  'Failed to open /dev/vfio/devices/vfio4: Device or resource busy (os error 16)',
  'open(/dev/vfio/57): Device or resource busy',
  'failed to get vfio device fd: Invalid argument (os error 22)',
  'VmBoot(VfioCreate(OpenGroup(Os { code: 16, kind: ResourceBusy, message: "Device or resource busy" }, "57")))',
  'Failed to link group 57 to container of vfio: [Errno 25] Inappropriate ioctl for device',
  `Cannot create lock on device /var/tmp/spdk_pci_lock_${DEVICE}, probably process 2718 has claimed it`,
  `error: PCI device ${DEVICE} is in use by driver QEMU, domain alpha`,
  `TASK ERROR: PCI device '${DEVICE}' already in use by VMID '100'`,
  'The TPU is already in use by process with pid 4711. Not attempting to load libtpu.so in this process.',
  `bind failed for ${DEVICE} - Cannot bind to driver vfio-pci: [Errno 16] Device or resource busy`,
];

/** Rows of listings. */
export const listingRows: readonly string[] = [
  'l2fwd    2718 root   47u   CHR  243,0      0t0  812 /dev/vfio/57',
  'l2fwd    2718 root   47u   CHR  243,0      0t0  812 /dev/vfio/57 (deleted)',
  '/dev/vfio/57:        root       2718 F.... l2fwd',
  'lrwx------ 1 root root 64 Mar  4 05:06 /proc/2718/fd/47 -> /dev/vfio/57',
  'PID 2718 holds /dev/vfio/57',
  `${DEVICE} 'Ethernet Controller X710 1572' if=eth1 drv=i40e unused=vfio-pci *Active*`,
  `/sys/kernel/iommu_groups/57/devices/${DEVICE}`,
  'IOMMU Group 57 c4:00.0 VGA compatible controller [0300]: Matrox [102b:0538] (rev 01)',
];
