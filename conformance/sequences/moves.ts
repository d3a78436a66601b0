/**
 * What a process may do next in a random history: whole ways to a device, and everything that
 * disturbs them.
 *
 * @module
 */
import type { ProcessName } from '../../scenario/language.ts';
import type { SequenceDraft, Kind } from './draft.ts';
import type { Roles } from './roles.ts';

/** Draws one of several; the source of all randomness. */
export type Pick = <T>(among: readonly T[]) => T;

/** What a move is drawn from. */
export interface MoveContext {
  readonly draft: SequenceDraft;
  readonly pick: Pick;
  readonly roles: Roles;
  readonly process: ProcessName;
}

type Move = (table: MoveContext) => string;

/** Stands for nothing in any process. */
const NOTHING = 'nothing';

/** A name of one of the kinds, where there is one; now and then one that is wrong. */
function use({ draft, pick, process }: MoveContext, ...kinds: readonly Kind[]): string {
  const names = draft.names(process, ...kinds);
  if (pick(twenty) > 0) return names.length === 0 ? NOTHING : pick(names);
  const others = draft.names(process, 'device', 'iommufd', 'group', 'container');
  return pick([':99', ':-1', ':0', ...others, ...others]);
}

function own({ draft, pick, process }: MoveContext, kind: Kind): string {
  const names = draft.names(process, kind);
  return names.length === 0 ? NOTHING : pick(names);
}

const three = [1, 2, 3] as const;
const twenty = Array.from({ length: 20 }, (_, index) => index);

function device({ pick, roles }: MoveContext): string {
  const { device: main, sibling, stranger, further } = roles;
  return pick([main, main, main, sibling, sibling, stranger ?? main, ...further, ...further]);
}

const fresh = ({ draft }: MoveContext, kind: Kind): string => draft.fresh(kind);

const cloexec = ({ pick }: MoveContext): string => (pick(twenty) < 3 ? ' cloexec=1' : '');

const withPasid = ({ pick }: MoveContext, bytes: number): string =>
  `argsz=${bytes} flags=1 pasid=${pick([0, 1, 1, 2])}`;

/** Every other page table is made for PASIDs. */
const pasidTable = ({ pick }: MoveContext): string => (pick(twenty) < 10 ? ' flags=8' : '');

/** What brings a device closer; each is drawn about as often as the next. */
const constructive: readonly Move[] = [
  (t) => `open_cdev ${fresh(t, 'device')} ${device(t)}${cloexec(t)}`,
  (t) => `open_iommufd ${fresh(t, 'iommufd')}${cloexec(t)}`,
  (t) => `open_container ${fresh(t, 'container')}${cloexec(t)}`,
  (t) => `open_group ${fresh(t, 'group')} ${device(t)}${cloexec(t)}`,
  (t) => `bind ${use(t, 'device')} ${use(t, 'iommufd')}`,
  (t) => `bind ${use(t, 'device')} ${use(t, 'iommufd')}`,
  (t) => `alloc_ioas ${use(t, 'iommufd')} ${fresh(t, 'ioas')}`,
  (t) => `attach ${use(t, 'device')} ${use(t, 'ioas', 'hwpt')}`,
  (t) => `attach ${use(t, 'device')} ${use(t, 'ioas', 'hwpt')}`,
  (t) => `set_container ${use(t, 'group')} ${use(t, 'container', 'iommufd')}`,
  (t) => `set_container ${use(t, 'group')} ${use(t, 'container', 'iommufd')}`,
  (t) => `set_iommu ${use(t, 'container', 'iommufd')}`,
  (t) => `get_device ${fresh(t, 'device')} ${use(t, 'group')} ${device(t)}`,
  (t) => `get_device ${fresh(t, 'device')} ${use(t, 'group')} ${device(t)}`,
];

const anyFile: readonly Kind[] = ['device', 'device', 'group', 'iommufd', 'container'];

/** What takes something away, hands it on, or ends a process. */
const destructive: readonly Move[] = [
  (t) => `close ${use(t, t.pick(anyFile))}`,
  (t) => `close ${use(t, t.pick(anyFile))}`,
  (t) => `close ${use(t, ...anyFile)}`,
  (t) => `detach ${use(t, 'device')}`,
  (t) => `unset_container ${use(t, 'group')}`,
  (t) => `destroy ${use(t, 'iommufd')} ${use(t, 'ioas', 'hwpt')}`,
  (t) => `destroy ${use(t, 'iommufd')} ${own(t, 'device')}.id`,
  (t) => `dup ${fresh(t, 'device')} ${use(t, ...anyFile)}`,
  (t) => `dup2 ${use(t, ...anyFile)} ${use(t, ...anyFile)}`,
  (t) => `mmap ${fresh(t, 'mapping')} ${use(t, 'device')} 0`,
  (t) => `munmap ${use(t, 'mapping')}`,
  (t) => `fork ${t.draft.absent ?? 'P8'}`,
  (t) => `spawn ${t.draft.absent ?? 'P8'}`,
  (t) => {
    const to = t.pick([...t.draft.processes, t.draft.absent ?? 'P8']);
    return `send ${use(t, ...anyFile)} ${to} ${fresh(t, 'device')}`;
  },
  () => 'exec',
  () => 'exit',
  (t) => `kill ${t.pick([t.process, ...t.draft.processes])}`,
];

const PATIENCE = 'ms=200';

const ofDrivers: readonly Move[] = [
  (t) => {
    const { other } = t.roles;
    const of = t.pick([device(t), t.roles.sibling, other?.name ?? device(t)]);
    const driver = t.pick(['none', 'vfio-pci', other?.driver ?? 'vfio-pci', 'vfio-pci']);
    return `set_driver ${of} ${driver} ${PATIENCE}`;
  },
  ({ roles: { other, sibling }, pick }) => {
    const driver = pick(['none', 'vfio-pci', other?.driver ?? 'vfio-pci']);
    return `set_driver ${other?.name ?? sibling} ${driver} ${PATIENCE}`;
  },
  () => 'bg_wait 200',
];

/** What only looks, and what is not ours to have. */
const curious: readonly Move[] = [
  (t) => `group_status ${use(t, 'group')}`,
  (t) => `device_info ${use(t, 'device')}`,
  (t) => `region_info ${use(t, 'device')} ${t.pick([0, 1, 7, 8, 9])}`,
  (t) => `read ${use(t, 'device')} ${t.pick([0, 7])}`,
  (t) => `reset ${use(t, 'device')}`,
  (t) => `hot_reset_info ${use(t, 'device')}`,
  (t) => `hot_reset ${use(t, 'device')}`,
  (t) => `hot_reset ${use(t, 'device')} ${use(t, 'group')}`,
  (t) => `compat_ioas ${use(t, 'iommufd')} get ${fresh(t, 'ioas')}`,
  (t) => `compat_ioas ${use(t, 'iommufd')} set ${use(t, 'ioas')}`,
  (t) => `compat_ioas ${use(t, 'iommufd')} clear`,
  (t) =>
    `alloc_hwpt ${use(t, 'iommufd')} ${use(t, 'device')} ${use(t, 'ioas')} ${fresh(t, 'hwpt')}${pasidTable(t)}`,
  (t) => `ioas_map ${use(t, 'iommufd')} ${use(t, 'ioas')} iova=${t.pick(['0x1000', '0x200000'])}`,
  (t) => `attach ${use(t, 'device')} ${use(t, 'hwpt', 'ioas')} ${withPasid(t, 16)}`,
  (t) => `attach ${use(t, 'device')} ${use(t, 'hwpt', 'hwpt', 'ioas')} ${withPasid(t, 16)}`,
  (t) => `detach ${use(t, 'device')} ${withPasid(t, 12)}`,
  (t) => `map_dma ${use(t, 'container', 'iommufd')} iova=${t.pick(['0x1000', '0x200000'])}`,
  (t) => `check_extension ${use(t, 'container', 'iommufd')} ${t.pick([1, 3, 9])}`,
  (t) => `api_version ${use(t, 'container', 'iommufd')}`,
  (t) => `set_iommu ${use(t, 'container', 'iommufd')} ${t.pick([1, 3, 8])}`,
  (t) => `bind ${use(t, 'device')} ${use(t, 'group', 'container', 'device')}`,
  (t) => `bind ${use(t, 'device')} ${use(t, 'iommufd')} ${t.pick(['argsz=8', 'flags=2'])}`,
  (t) => `attach ${use(t, 'device')} :1`,
  (t) => `ioctl ${use(t, ...anyFile)} ${t.pick(['0x3b76', '0x3b6a', '0x3b81', '0x3b70'])}`,
  (t) => `open_path ${fresh(t, 'device')} ${t.pick(['/dev/null', '/proc/self/fd/3', '/dev/vfio'])}`,
];

/** Now and then the memory that a process has mapped is gone before a device can use it. */
const forgotten = ({ pick }: MoveContext): string[] => (pick(three) === 1 ? ['exec'] : []);

/** A whole way to a device, a line after the other; `mark` tells its names from those of others. */
export type Way = (t: MoveContext, mark: string) => readonly string[];

const throughContainer: Way = (t, n) => {
  const of = device(t);
  return [
    `open_group G${n} ${of}`,
    `open_container C${n}`,
    `set_container G${n} C${n}`,
    `set_iommu C${n}`,
    `get_device D${n} G${n} ${of}`,
  ];
};

const ways: readonly Way[] = [
  throughContainer,
  (t, n) => [
    `open_iommufd I${n}`,
    `open_cdev D${n} ${device(t)}`,
    `bind D${n} I${n}`,
    `alloc_ioas I${n} X${n}`,
    `attach D${n} X${n}`,
  ],
  (t, n) => {
    const of = device(t);
    return [
      `open_iommufd I${n}`,
      `open_group G${n} ${of}`,
      `set_container G${n} I${n}`,
      `get_device D${n} G${n} ${of}`,
    ];
  },
  (t, n) => [
    `open_iommufd I${n}`,
    `alloc_ioas I${n} X${n}`,
    `ioas_map I${n} X${n}`,
    ...forgotten(t),
    `open_cdev D${n} ${device(t)}`,
    `bind D${n} I${n}`,
    `alloc_hwpt I${n} D${n} X${n} H${n}${pasidTable(t)}`,
    `attach D${n} H${n}`,
    ...(t.pick(three) === 1 ? [`attach D${n} H${n} ${withPasid(t, 16)}`] : []),
  ],
  (t, n) => {
    const of = device(t);
    return [
      `open_iommufd I${n}`,
      `alloc_ioas I${n} X${n}`,
      `compat_ioas I${n} set X${n}`,
      `open_group G${n} ${of}`,
      `ioas_map I${n} X${n}`,
      ...forgotten(t),
      `set_container G${n} I${n}`,
      `get_device D${n} G${n} ${of}`,
    ];
  },
];

/** Three of the ways that there are on a host, some perhaps more than once. */
export function someWays(draft: SequenceDraft, pick: Pick): readonly Way[] {
  const there = draft.hasIommufd ? ways : [throughContainer];
  return three.map(() => pick(there));
}

/** The lines by which a process lets go of all that it has, in any order; or its end. */
export function wayOut({ draft, pick, process }: MoveContext): readonly string[] {
  if (pick(twenty) < 4) return [`kill ${process}`];
  const mappings = draft.names(process, 'mapping').map((name) => `munmap ${name}`);
  const files = draft.names(process, 'device', 'iommufd', 'group', 'container');
  return inAnyOrder([...mappings, ...files.map((name) => `close ${name}`)], pick);
}

function inAnyOrder(lines: readonly string[], pick: Pick): string[] {
  const left = [...lines];
  return lines.flatMap(() => left.splice(left.indexOf(pick(left)), 1));
}

/** Neither about a file that is not there, nor a second driver change while the first one waits. */
function isPromising(line: string, { isChangePending }: SequenceDraft): boolean {
  return !line.includes(NOTHING) && !(isChangePending && line.startsWith('set_driver'));
}

/** A line out of all that may come next; seldom one that promises nothing. */
export function moveOf(table: MoveContext): string {
  const { pick, draft } = table;
  const kinds = [constructive, constructive, destructive, destructive, curious, ofDrivers];
  for (;;) {
    const line = pick(pick(kinds))(table);
    if (isPromising(line, draft) || pick(twenty) === 0) return line;
  }
}
