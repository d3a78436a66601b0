/**
 * The machine of an IOMMU group: who owns its DMA, and whether its file is open.
 *
 * It joins the kernel's `struct iommu_group` (owner, owner_cnt: drivers/iommu/iommu.c) and the
 * living incarnation of `struct vfio_group` (opened_file, cdev_device_open_cnt: vfio/group.c).
 *
 * @module
 */
import { assign, setup } from 'xstate';
import type { FileId } from '../processes/process-table.ts';
import { guardedStates, type Admission, type Targets } from './admission.ts';
import type { DriverKind } from './driver.ts';
import { NAMELESS, STRANGER } from './unshown.ts';

/** Named after the owner: nobody, kernel drivers, a group in a container, an iommufd. */
export type GroupState = 'unowned' | 'kernel' | 'container' | 'iommufd';

export interface GroupRecord {
  /** Devices registered with VFIO; without one the group has no node. */
  readonly members: number;
  /** The group file that is open (`opened_file`). */
  readonly opener: FileId | null;
  /** The iommufd that owns, or the group file whose container does. */
  readonly owner: FileId | null;
  /** `owner_cnt`. */
  readonly claims: number;
  /** Devices bound through their cdev (`cdev_device_open_cnt`); they keep group files out. */
  readonly cdevBound: number;
  /** The page table that the attached members share, and how many are attached. */
  readonly hwpt: number | null;
  readonly attached: number;
}

export type GroupEvent =
  | { readonly type: 'driver.bound' | 'driver.unbound'; readonly kind: DriverKind }
  | { readonly type: 'group.opened'; readonly file: FileId }
  | { readonly type: 'group.released' }
  | {
      readonly type: 'container.set';
      readonly file: FileId;
      /** False when the container is an iommufd, which claims nothing yet. */
      readonly native: boolean;
    }
  | { readonly type: 'container.unset'; readonly native: boolean }
  | {
      readonly type: 'device.obtained';
      /** The iommufd that claims with the first open of the device, or null. */
      readonly iommufd: FileId | null;
      readonly hwpt: number | null;
    }
  | { readonly type: 'device.bound'; readonly iommufd: FileId }
  | { readonly type: 'device.attached'; readonly hwpt: number; readonly replaces: boolean }
  | { readonly type: 'device.detached'; readonly attached: boolean }
  | {
      readonly type: 'device.released';
      readonly claim: boolean;
      readonly cdev: boolean;
      readonly attached: boolean;
    };

const nobody: GroupRecord = {
  members: 0,
  opener: null,
  owner: null,
  claims: 0,
  cdevBound: 0,
  hwpt: null,
  attached: 0,
};

interface Asked {
  readonly context: GroupRecord;
  readonly event: GroupEvent;
}

const groupGuards = {
  hasMember: ({ context }: Asked) => context.members > 0,
  fileClosed: ({ context }: Asked) => context.opener === null,
  noCdevBound: ({ context }: Asked) => context.cdevBound === 0,
  claimsNothing: ({ event }: Asked) =>
    event.type === 'driver.bound'
      ? event.kind !== 'kernel'
      : event.type === 'container.set'
        ? !event.native
        : event.type === 'device.obtained' && event.iommufd === null,
  claims: (asked: Asked) => !groupGuards.claimsNothing(asked),
  sameIommufd: ({ context, event }: Asked) =>
    (event.type === 'device.bound' && isSame(event.iommufd, context.owner)) ||
    (event.type === 'device.obtained' &&
      (event.iommufd === null || isSame(event.iommufd, context.owner))),
  samePageTable: ({ context, event }: Asked) =>
    event.type === 'device.attached'
      ? context.hwpt === null || context.hwpt === event.hwpt || event.replaces
      : event.type === 'device.obtained' &&
        (event.iommufd === null || context.hwpt === null || context.hwpt === event.hwpt),
  lastKernelDriver: ({ context, event }: Asked) =>
    event.type === 'driver.unbound' && event.kind === 'kernel' && context.claims === 1,
  lastMember: ({ context, event }: Asked) =>
    event.type === 'driver.unbound' && event.kind === 'vfio' && context.members === 1,
  lastClaim: ({ context, event }: Asked) =>
    event.type === 'device.released' && event.claim && context.claims === 1,
};

/** An owner that nobody has seen the name of may be any. */
function isSame(file: FileId, owner: FileId | null): boolean {
  return file === owner || (owner === NAMELESS && file !== STRANGER);
}

type Guard = keyof typeof groupGuards;

const targets: Targets<GroupState, GroupEvent['type'], Guard> = {
  unowned: {
    'driver.bound': [['kernel', 'claims'], 'unowned'],
    'driver.unbound': 'unowned',
    'group.opened': 'unowned',
    'group.released': 'unowned',
    'container.set': [['container', 'claims'], 'unowned'],
    'container.unset': 'unowned',
    'device.obtained': [['iommufd', 'claims']],
    'device.bound': 'iommufd',
  },
  kernel: {
    'driver.bound': 'kernel',
    'driver.unbound': [['unowned', 'lastKernelDriver'], 'kernel'],
    'group.opened': 'kernel',
    'group.released': 'kernel',
    'container.set': 'kernel',
    'container.unset': 'kernel',
  },
  container: {
    'driver.bound': 'container',
    'driver.unbound': [['unowned', 'lastMember'], 'container'],
    'group.released': 'unowned',
    'container.unset': 'unowned',
    'device.obtained': 'container',
    'device.released': 'container',
  },
  iommufd: {
    'driver.bound': 'iommufd',
    'driver.unbound': 'iommufd',
    'group.opened': 'iommufd',
    'group.released': 'iommufd',
    'container.set': 'iommufd',
    'container.unset': 'iommufd',
    'device.obtained': 'iommufd',
    'device.bound': 'iommufd',
    'device.attached': 'iommufd',
    'device.detached': 'iommufd',
    'device.released': [['unowned', 'lastClaim'], 'iommufd'],
  },
};

const released = { owner: null, claims: 0, hwpt: null, attached: 0 };

/** What the group remembers after an event that it admitted. */
export function recordGroup(group: GroupRecord, event: GroupEvent): GroupRecord {
  switch (event.type) {
    case 'driver.bound':
      return event.kind === 'vfio'
        ? { ...group, members: group.members + 1 }
        : { ...group, claims: group.claims + (event.kind === 'kernel' ? 1 : 0) };
    case 'driver.unbound':
      if (event.kind === 'kernel') return { ...group, claims: group.claims - 1 };
      if (event.kind === 'harmless') return group;
      // The last member takes the incarnation with it; an open file of it is dead from here on.
      if (group.members > 1) return { ...group, members: group.members - 1 };
      return group.owner !== null && group.owner === group.opener
        ? { ...group, ...released, members: 0, opener: null }
        : { ...group, members: 0, opener: null };
    case 'group.opened':
      return { ...group, opener: event.file };
    case 'group.released':
      return group.owner !== null && group.owner === group.opener
        ? { ...group, ...released, opener: null }
        : { ...group, opener: null };
    case 'container.set':
      return event.native ? { ...group, owner: event.file, claims: 1 } : group;
    case 'container.unset':
      return event.native ? { ...group, ...released } : group;
    case 'device.obtained':
      return event.iommufd === null
        ? group
        : {
            ...group,
            owner: event.iommufd,
            claims: group.claims + 1,
            hwpt: event.hwpt,
            attached: group.attached + 1,
          };
    case 'device.bound':
      return {
        ...group,
        owner: event.iommufd,
        claims: group.claims + 1,
        cdevBound: group.cdevBound + 1,
      };
    case 'device.attached':
      return {
        ...group,
        hwpt: event.hwpt,
        attached: group.attached + (event.replaces ? 0 : 1),
      };
    case 'device.detached':
      return event.attached ? detached(group) : group;
    case 'device.released':
      return leave(group, event);
  }
}

function leave(
  group: GroupRecord,
  event: Extract<GroupEvent, { type: 'device.released' }>,
): GroupRecord {
  const left = event.attached ? detached(group) : group;
  const cdevBound = left.cdevBound - (event.cdev ? 1 : 0);
  if (!event.claim) return { ...left, cdevBound };
  return left.claims === 1
    ? { ...left, ...released, cdevBound }
    : { ...left, cdevBound, claims: left.claims - 1 };
}

function detached(group: GroupRecord): GroupRecord {
  return group.attached === 1
    ? { ...group, attached: 0, hwpt: null }
    : { ...group, attached: group.attached - 1 };
}

/**
 * What GET_STATUS says: a container makes a group viable, else that nobody claims its DMA
 * (vfio/group.c:vfio_group_ioctl_get_status).
 */
export function isViable({ claims }: Pick<GroupRecord, 'claims'>, containerSet: boolean): boolean {
  return containerSet || claims === 0;
}

export function groupMachine(admission: Admission) {
  return setup({
    types: {} as { context: GroupRecord; events: GroupEvent },
    guards: groupGuards,
    actions: { record: assign(({ context, event }) => recordGroup(context, event)) },
  }).createMachine({
    id: 'group',
    initial: 'unowned',
    context: nobody,
    states: guardedStates(targets, admission),
  });
}
