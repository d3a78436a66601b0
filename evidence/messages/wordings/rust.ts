/**
 * Wordings of rust-vmm and of the monitors that come from it: Cloud Hypervisor, crosvm, Dragonball.
 *
 * An error is printed in its own words, or as the name of its variant.
 *
 * @module
 */
import type { Wording } from './wording.ts';

const OS = 'Os { code: 16, kind: ResourceBusy, message: "Device or resource busy" }';

const rows: readonly Omit<Wording, 'program' | 'source' | 'versions'>[] = [
  {
    operation: 'open_group',
    words: String.raw`\bOpenGroup\b`,
    mark: 'OpenGroup',
    sample: `VmBoot(VfioCreate(OpenGroup(${OS}, "57")))`,
  },
  {
    operation: 'open_container',
    words: String.raw`\bOpenContainer\b`,
    mark: 'OpenContainer',
    sample: 'OpenContainer(Os { code: 2, kind: NotFound, message: "No such file or directory" })',
  },
  {
    operation: 'set_container',
    words: String.raw`\bgroup is inviable\b|\bGroupViable\b`,
    concluded: 'owned-by-kernel-driver',
    mark: 'iable',
    sample: 'VmBoot(VfioCreate(GroupViable))',
  },
  {
    operation: 'set_container',
    words: String.raw`{failed} add (?:the )?(?:vfio )?group into (?:the )?(?:vfio )?container|\bGroupSetContainer\b`,
    needs: 'vfio',
    sample: 'failed to add vfio group into vfio container: Invalid argument (os error 22)',
  },
  {
    operation: 'set_iommu',
    words: String.raw`{failed} set container's IOMMU driver type|\bContainerSetIOMMU\b`,
    sample:
      "failed to set container's IOMMU driver type as VfioType1V2: No such device (os error 19)",
  },
  {
    operation: 'get_device',
    words: String.raw`{failed} get (?:vfio )?device(?: fd)?\b(?! info|'s)|\bGroupGetDeviceFD\b`,
    needs: 'vfio',
    sample: 'failed to get vfio device fd: Invalid argument (os error 22)',
  },
  {
    operation: 'bind',
    words: String.raw`{failed} bind [^:;\n]{0,60}iommufd\b|\bVfioDeviceBindIommufd\b`,
    sample: 'failed to bind the vfio device to iommufd: Device or resource busy (os error 16)',
  },
  {
    operation: 'attach',
    words: String.raw`{failed} (?:associate|attach) the vfio device (?:with|to) an IOAS[^:\n]{0,40}|\bVfioDeviceAttachIommufdPt\b`,
    sample: 'failed to associate the vfio device with an IOAS: Invalid argument (os error 22)',
  },
  {
    operation: 'map_dma',
    words: String.raw`{failed} add guest memory map into iommu table|\bIommuDmaMap\b|\bVfioDmaMap\b`,
    sample: 'failed to add guest memory map into iommu table: Cannot allocate memory (os error 12)',
  },
];

export const rust: readonly Wording[] = rows.map((row) => ({
  program: 'rust-vmm, Cloud Hypervisor, crosvm',
  versions: 'vfio-ioctls 0.1 to 0.5',
  source: 'vfio-ioctls/src/lib.rs:VfioError',
  ...row,
}));
