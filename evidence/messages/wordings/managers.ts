/**
 * Wordings of managers of virtual machines: libvirt, Proxmox, LXD and Incus, xl.
 *
 * @module
 */
import type { Wording } from './wording.ts';

const ATTRIBUTE_OF = '/sys/bus/pci/devices/0000:c4:00.0/driver_override';

export const managers: readonly Wording[] = [
  {
    program: 'libvfn and others',
    versions: '1 to 5',
    source: 'src/iommu/vfio.c',
    operation: 'set_container',
    words: String.raw`\blink group {group} to container`,
    needs: 'vfio',
    sample:
      'Failed to link group 57 to container of vfio: [Errno 25] Inappropriate ioctl for device',
  },
  {
    program: 'libvirt',
    versions: '0.6 to 11',
    source: 'src/util/virpci.c:virPCIDeviceBindToStub',
    operation: 'set_driver',
    words: String.raw`\bFailed to (?:bind|add slot for) PCI device '{device}' to (?:driver )?'?{driver}`,
    errno: 'optional',
    sample: "error: Failed to bind PCI device '0000:c4:00.0' to vfio-pci: No such device",
  },
  {
    program: 'libvirt',
    versions: '0.6 to 11',
    source: 'src/util/virpci.c:virPCIDeviceUnbind',
    operation: 'set_driver',
    words: String.raw`\bFailed to unbind PCI device '{device}'(?: from [\w-]{1,64})?`,
    errno: 'optional',
    sample: "error: Failed to unbind PCI device '0000:c4:00.0' from nvme: Device or resource busy",
  },
  {
    program: 'libvirt',
    versions: '0.8 to 11',
    source: 'src/util/virpci.c:virPCIDeviceRebind',
    operation: 'set_driver',
    words: String.raw`\bFailed to trigger a (?:re-?)?probe for PCI device '{device}'`,
    errno: 'optional',
    sample: "error: Failed to trigger a probe for PCI device '0000:c4:00.0': Invalid argument",
  },
  {
    program: 'libvirt',
    versions: '0.6 to 2.0',
    source: 'src/util/virpci.c:virPCIDeviceBindToStubWithNewid',
    operation: 'set_driver',
    words: String.raw`\bFailed to add PCI device ID '[^'\n]{1,40}' to {driver}`,
    mark: 'PCI device ID',
    sample: "error: Failed to add PCI device ID '8086 10ca' to vfio-pci: File exists",
  },
  {
    program: 'libvirt',
    versions: '2.1 to 11',
    source: 'src/util/virpci.c:virPCIDeviceBindWithDriverOverride',
    operation: 'set_driver',
    words: String.raw`\bFailed to add driver '{driver}' to driver_override {1,3}interface of PCI device '{device}'`,
    errno: 'optional',
    sample:
      "error: Failed to add driver 'vfio-pci' to driver_override interface of PCI device '0000:c4:00.0': Permission denied",
  },
  {
    program: 'libvirt',
    versions: '0.7 to 11',
    source: 'src/util/virpci.c:virPCIDeviceTrySecondaryBusReset',
    operation: 'hot_reset',
    words: String.raw`\bActive {ofDevice} devices on bus with {device}, not doing bus reset`,
    concluded: 'reset-not-owned',
    sample:
      'error: internal error: Unable to reset PCI device 0000:c4:00.0: internal error: Active 0000:c4:00.1 devices on bus with 0000:c4:00.0, not doing bus reset',
  },
  {
    program: 'libvirt',
    versions: '0.6 to 11',
    source: 'src/util/virpci.c:virPCIDeviceReset',
    operation: 'reset',
    words: String.raw`\bUnable to reset PCI device {device}: no FLR, PM reset or bus reset available`,
    concluded: 'not-ownership',
    sample:
      'error: internal error: Unable to reset PCI device 0000:c4:00.0: no FLR, PM reset or bus reset available',
  },
  {
    program: 'LXD, Incus',
    versions: '4.6 to 6',
    source: 'internal/server/device/pci/pci.go:DeviceSetDriverOverride',
    operation: 'set_driver',
    words: String.raw`\bFailed setting driver override "{driver}" for device "{device}" via "[^"\n]{1,200}": (?:write|open) {attribute}`,
    errno: 'near',
    sample: `Error: Failed setting driver override "vfio-pci" for device "0000:c4:00.0" via "${ATTRIBUTE_OF}": write ${ATTRIBUTE_OF}: invalid argument`,
  },
  {
    program: 'Proxmox VE',
    versions: '1.9 to 9',
    source: 'PVE/QemuServer/PCI.pm:prepare_pci_device',
    operation: 'set_driver',
    words: String.raw`\bcan't unbind/bind pci group to {driver} '{device}'`,
    errno: 'hidden',
    sample: "can't unbind/bind PCI group to VFIO '0000:c4:00.0'",
  },
  {
    program: 'Proxmox VE',
    versions: '3 to 9',
    source: 'PVE/SysFSTools.pm:pci_dev_bind_to_vfio',
    operation: 'set_driver',
    words: String.raw`^(?:TASK ERROR: )?cannot bind {device} to {driver}$`,
    errno: 'hidden',
    sample: 'TASK ERROR: Cannot bind 0000:c4:00.0 to vfio',
  },
  {
    program: 'Proxmox VE',
    versions: '3 to 9',
    source: 'PVE/QemuServer/PCI.pm:prepare_pci_device',
    operation: 'reset',
    words: String.raw`\bcan't reset pci device '{device}'`,
    errno: 'hidden',
    sample: "can't reset PCI device '0000:c4:00.0'",
  },
  {
    program: 'xl',
    versions: 'Xen 4.2 to 4.20',
    source: 'tools/libs/light/libxl_pci.c:pciback_dev_assign',
    operation: 'set_driver',
    words: String.raw`\bCouldn't bind device to pciback!`,
    driver: 'pciback',
    needs: 'change',
    sample:
      "libxl: error: libxl_pci.c:777:pciback_dev_assign: Couldn't bind device to pciback!: No such device",
  },
];
