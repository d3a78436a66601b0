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

const mappers = ({ device }: Roles): string[] => [
  'open_iommufd I',
  `open_cdev A ${device}`,
  'bind A I',
  'alloc_ioas I X',
  'ioas_map I X',
  'alloc_hwpt I A X H',
  'attach A X',
  'detach A',
  'destroy I H',
  'exec',
];

const compatMappers = ({ device }: Roles): string[] => [
  'open_iommufd I',
  `open_group G ${device}`,
  'set_container G I',
  'map_dma I',
  `get_device D G ${device}`,
  'close D',
  'exec',
];

const pasids = ({ device }: Roles): string[] => [
  'open_iommufd I',
  `open_cdev A ${device}`,
  'bind A I',
  'alloc_ioas I X',
  'compat_ioas I set X',
  'alloc_hwpt I A X H flags=8',
  'attach A H argsz=16 flags=1 pasid=1',
  'detach A argsz=12 flags=1 pasid=1',
  'destroy I H',
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

/** How a way is made up: its moves, what is asked in each state, and what after each change. */
interface Spelling {
  readonly moves: (roles: Roles) => readonly string[];
  readonly asks?: (roles: Roles) => readonly string[];
  /** What the way may leave behind, where it was given up or taken further. */
  readonly probes: readonly string[];
}

const ways = ({ device }: Roles): Readonly<Record<string, Spelling>> => {
  const open = `open_group N ${device}`;
  return {
    kindsOfFile: { moves: kindsOfFile, asks: wrongQuestions, probes: [] },
    cdev: { moves: cdev, probes: [open, 'bind B J', 'bind E J'] },
    pageTables: { moves: pageTables, probes: ['destroy I H', 'destroy I X', 'attach E Y'] },
    container: { moves: container, probes: ['unset_container G', 'map_dma C', 'set_iommu C'] },
    twoGroups: { moves: twoGroups, probes: ['map_dma C', 'unset_container H'] },
    compat: { moves: compat, probes: ['destroy I X', 'unset_container G', 'compat_ioas I get'] },
    compatIoas: { moves: compatIoas, probes: ['destroy I H', 'destroy I X', 'compat_ioas I get'] },
    mappers: { moves: mappers, probes: ['attach A X', 'alloc_hwpt I A X W', 'ioas_map I X'] },
    compatMappers: { moves: compatMappers, probes: [`get_device K G ${device}`, 'map_dma I'] },
    pasids: { moves: pasids, probes: ['attach A H', 'destroy I H'] },
    driversAndCdev: { moves: driversAndCdev, probes: ['bind A I', open, 'bg_wait'] },
    driversAndGroup: {
      moves: driversAndGroup,
      probes: ['unset_container G', 'map_dma C', 'bg_wait'],
    },
    driversAndCompat: {
      moves: driversAndCompat,
      probes: ['set_container G I', 'unset_container G', 'bg_wait'],
    },
  };
};

/** Every way to the devices of a cast. */
export function alphabets(roles: Roles): Alphabet[] {
  return Object.entries(ways(roles)).map(
    ([name, { moves: movesOf, asks: asked = asks, probes }]) => {
      const moves = movesOf(roles).map(operation);
      return {
        name,
        moves,
        asks: [...moves, ...asked(roles).map(operation)],
        probes: probes.map(operation),
      };
    },
  );
}

/** A line of the scenario language as an operation. */
export function operation(line: string): OperationStatement {
  const statement = parseLine(line);
  if (statement?.kind !== 'operation') throw new RangeError(`no operation: '${line}'`);
  return statement;
}
