/**
 * The operations that paths through the machines are made of, a set for each way to a device.
 *
 * @module
 */
import { parseLine, type OperationStatement } from '../../scenario/language.ts';
import type { Roles } from './roles.ts';
import { kindsOfFile, wrongQuestions } from './wrong.ts';

/** What leads from state to state, and what is asked besides in each state that is reached. */
export interface Alphabet {
  readonly name: string;
  readonly moves: readonly OperationStatement[];
  readonly asks: readonly OperationStatement[];
  /** Asked after each change: their answers tell what it has left behind. */
  readonly probes: readonly OperationStatement[];
}

const cdev = ({ device, sibling }: Roles): string[] => [
  `open_cdev A ${device}`,
  `open_cdev B ${device}`,
  `open_cdev E ${sibling}`,
  'open_iommufd I',
  'open_iommufd J',
  ...['A I', 'B I', 'E I', 'E J'].map((files) => `bind ${files}`),
  'close A',
  'close E',
  'close I',
];

const pageTables = ({ device, sibling }: Roles): string[] => [
  `open_cdev A ${device}`,
  `open_cdev B ${device}`,
  'close B',
  `open_cdev E ${sibling}`,
  'open_iommufd I',
  'bind A I',
  'bind E I',
  'alloc_ioas I X',
  'alloc_ioas I Y',
  'alloc_hwpt I A X H',
  ...['A X', 'A Y', 'A H', 'E X', 'E Y'].map((on) => `attach ${on}`),
  'detach A',
  'close A',
  'destroy I X',
  'destroy I H',
];

const container = ({ device, sibling }: Roles): string[] => [
  `open_group G ${device}`,
  'open_container C',
  'set_container G C',
  'set_iommu C',
  `get_device D G ${device}`,
  `get_device F G ${device}`,
  `get_device K G ${sibling}`,
  'unset_container G',
  'mmap M D 0',
  'munmap M',
  'close D',
  'close F',
  'close G',
  'close C',
];

const compat = ({ device, sibling }: Roles): string[] => [
  'open_iommufd I',
  'open_iommufd J',
  `open_group G ${device}`,
  'set_container G I',
  'set_container G J',
  `get_device D G ${device}`,
  `get_device K G ${sibling}`,
  'unset_container G',
  'compat_ioas I clear',
  'compat_ioas I get X',
  'alloc_ioas I Y',
  'compat_ioas I set Y',
  'open_container C',
  'set_container G C',
  'destroy I X',
  'close D',
  'close G',
  'close I',
];

const PATIENCE = 'ms=200';

const drivers = ({ device, sibling, other }: Roles): string[] => [
  ...(sibling === device ? [] : [`set_driver ${sibling} none ${PATIENCE}`]),
  `set_driver ${device} none ${PATIENCE}`,
  `set_driver ${device} vfio-pci ${PATIENCE}`,
  `set_driver ${device} nosuch ${PATIENCE}`,
  ...(other === null ? [] : [`set_driver ${device} ${other.driver} ${PATIENCE}`]),
  ...(other === null ? [] : [`set_driver ${other.name} none ${PATIENCE}`]),
  ...(other === null ? [] : [`set_driver ${other.name} vfio-pci ${PATIENCE}`]),
  ...(other === null ? [] : [`set_driver ${other.name} ${other.driver} ${PATIENCE}`]),
];

const driversAndCdev = (roles: Roles): string[] => [
  ...drivers(roles),
  `open_cdev A ${roles.device}`,
  'open_iommufd I',
  'bind A I',
  'alloc_ioas I X',
  'attach A X',
  'detach A',
  'open_path R /proc/self/fd/3',
  'close A',
  'bg_wait',
];

const driversAndGroup = (roles: Roles): string[] => [
  ...drivers(roles),
  `open_group G ${roles.device}`,
  'open_container C',
  'set_container G C',
  'set_iommu C',
  `get_device D G ${roles.device}`,
  'close D',
  'close G',
  'bg_wait',
];

const driversAndCompat = (roles: Roles): string[] => [
  ...drivers(roles),
  `open_group G ${roles.device}`,
  'open_iommufd I',
  'set_container G I',
  'unset_container G',
  `get_device D G ${roles.device}`,
  'close D',
  'close G',
  'bg_wait',
];

const twoGroups = ({ device, stranger }: Roles): string[] => [
  `open_group G ${device}`,
  ...(stranger === null ? [] : [`open_group H ${stranger}`]),
  'open_container C',
  'set_container G C',
  'set_container H C',
  'set_iommu C',
  `get_device D G ${device}`,
  'unset_container G',
  'unset_container H',
  'close G',
  'close H',
];

const compatIoas = ({ device }: Roles): string[] => [
  'open_iommufd I',
  'alloc_ioas I X',
  'compat_ioas I set X',
  'compat_ioas I clear',
  `open_cdev A ${device}`,
  'bind A I',
  'attach A X',
  'detach A',
  'alloc_hwpt I A X H',
  'destroy I H',
  'destroy I X',
  'close A',
];

/** Asked wherever a path ends: they show how things stand, and change nothing or little. */
const asks = ({ device, other }: Roles): string[] => [
  'group_status G',
  `open_group N ${device}`,
  `open_cdev N ${device}`,
  'bind A J',
  'bind A C',
  'bind A :99',
  'bind D I',
  'attach D X',
  'attach A :99',
  'set_container G :99',
  'set_container G G',
  'set_iommu C',
  'map_dma C',
  'map_dma I',
  'check_extension C 1',
  'compat_ioas I get',
  'ioas_map I X',
  'device_info A',
  'device_info D',
  'region_info A 0',
  'region_info D 9',
  'read D',
  'mmap Q A 0',
  'reset A',
  'reset D',
  'hot_reset_info A',
  'hot_reset_info D',
  'hot_reset A',
  'hot_reset A G',
  'hot_reset D G',
  'detach D',
  'destroy I :1',
  'alloc_hwpt I A X W',
  'alloc_hwpt I A H W',
  `set_driver ${other?.name ?? device} ${other?.driver ?? 'vfio-pci'} ${PATIENCE}`,
];

const ways = {
  kindsOfFile,
  cdev,
  pageTables,
  container,
  twoGroups,
  compat,
  compatIoas,
  driversAndCdev,
  driversAndGroup,
  driversAndCompat,
};

/** What a way may leave behind, where it was given up or taken further. */
const probesOf = (name: keyof typeof ways, { device }: Roles): readonly string[] => {
  const open = `open_group N ${device}`;
  switch (name) {
    case 'kindsOfFile':
      return [];
    case 'cdev':
      return [open, 'bind B J', 'bind E J'];
    case 'pageTables':
      return ['destroy I H', 'destroy I X', 'attach E Y'];
    case 'container':
      return ['unset_container G', 'map_dma C', 'set_iommu C'];
    case 'twoGroups':
      return ['map_dma C', 'unset_container H'];
    case 'compat':
      return ['destroy I X', 'unset_container G', 'compat_ioas I get'];
    case 'compatIoas':
      return ['destroy I H', 'destroy I X', 'compat_ioas I get'];
    case 'driversAndCdev':
      return ['bind A I', open, 'bg_wait'];
    case 'driversAndGroup':
      return ['unset_container G', 'map_dma C', 'bg_wait'];
    case 'driversAndCompat':
      return ['set_container G I', 'unset_container G', 'bg_wait'];
  }
};

/** Every way to the devices of a cast. */
export function alphabets(roles: Roles): Alphabet[] {
  return (Object.keys(ways) as (keyof typeof ways)[]).map((name) => {
    const moves = ways[name](roles).map(operation);
    const asked = name === 'kindsOfFile' ? wrongQuestions(roles) : asks(roles);
    const probes = probesOf(name, roles).map(operation);
    return { name, moves, asks: [...moves, ...asked.map(operation)], probes };
  });
}

/** A line of the scenario language as an operation. */
export function operation(line: string): OperationStatement {
  const statement = parseLine(line);
  if (statement?.kind !== 'operation') throw new RangeError(`no operation: '${line}'`);
  return statement;
}
