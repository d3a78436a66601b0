/**
 * What nobody should ask: every operation on every kind of file, and arguments out of bounds.
 *
 * @module
 */
import type { Roles } from './roles.ts';

/** A few steps to a file of each kind, in each of its states. */
export const kindsOfFile = ({ device }: Roles): string[] => [
  `open_cdev A ${device}`,
  'open_iommufd I',
  'bind A I',
  'alloc_ioas I X',
  'open_container C',
  `open_group G ${device}`,
  'set_container G C',
  'set_iommu C',
  `get_device D G ${device}`,
  'open_path N /dev/null',
];

const onFile = (file: string, { device }: Roles): string[] => [
  `bind ${file} I`,
  `attach ${file} :1`,
  `detach ${file}`,
  `device_info ${file}`,
  `region_info ${file} 0`,
  `reset ${file}`,
  `hot_reset_info ${file}`,
  `hot_reset ${file}`,
  `read ${file}`,
  `mmap Q ${file} 0`,
  `group_status ${file}`,
  `set_container ${file} C`,
  `unset_container ${file}`,
  `get_device Q ${file} ${device}`,
  `api_version ${file}`,
  `check_extension ${file} 1`,
  `set_iommu ${file}`,
  `map_dma ${file}`,
  `alloc_ioas ${file} Q`,
  `alloc_hwpt ${file} A :1 Q`,
  `destroy ${file} :1`,
  `ioas_map ${file} :1`,
  `compat_ioas ${file} get`,
  `ioctl ${file} 0x3b6a`,
  `ioctl ${file} 0x3b76`,
  `ioctl ${file} 0x3b81`,
  `dup Q ${file}`,
];

const outOfBounds = ({ device }: Roles): string[] => [
  'bind A I argsz=8',
  'bind A I argsz=4096',
  'bind A I flags=1',
  'bind A I flags=2',
  'bind A N',
  'bind A :-1',
  'attach A X argsz=4',
  'attach A X flags=8',
  'attach A X flags=1',
  'attach A X argsz=16 flags=1 pasid=1',
  'attach A A.id',
  'detach A argsz=4',
  'detach A flags=8',
  'detach A argsz=8 flags=1',
  'set_container G N',
  'set_container G I',
  'set_iommu C 8',
  'set_iommu C 9',
  'set_iommu I 8',
  'map_dma C size=0',
  'map_dma C iova=0x1001',
  'map_dma C',
  'map_dma C iova=0x100000',
  'compat_ioas I set :1',
  `get_device Q G nosuch`,
  'region_info A 9',
  'region_info D 9',
  'read A 1',
  'read D 1',
  'mmap Q A 1',
  'mmap Q D 7',
  'hot_reset A G',
  'hot_reset I G',
  'hot_reset C G',
  'hot_reset D C',
  'hot_reset D :99',
  'hot_reset D G G G G G',
  'munmap :99',
  'munmap :4096',
  'dup2 A :99',
  'dup2 :2000 A',
  'open_group Q g99',
  'open_path Q /dev/tty',
  'open_path Q /dev/vfio',
  'open_path Q /dev/vfio/none',
  'open_path Q /proc/self/fd/3',
  'open_path Q /proc/self/fd/4',
  'open_path Q /proc/self/fd/5',
  `set_driver ${device} nosuch ms=200`,
  'set_driver nosuch vfio-pci ms=200',
  'bg_wait 200',
];

/** Everything that can be asked wrongly of the files that there may be. */
export function wrongQuestions(roles: Roles): string[] {
  const files = ['A', 'I', 'C', 'G', 'D', 'N', ':99'];
  return [...files.flatMap((file) => onFile(file, roles)), ...outOfBounds(roles)];
}
