/**
 * The machine of an IOMMU group: the owner of its DMA, and whether its file is open.
 *
 * It combines the kernel's `struct iommu_group` (owner, owner_cnt: drivers/iommu/iommu.c) and the
 * current incarnation of `struct vfio_group` (opened_file, cdev_device_open_cnt: vfio/group.c).
 * Kernels without a DMA owner (`hasDmaOwner`) are told with the same states: the owner is the group's
 * file that has a container.
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import type { Targets } from './admission.ts';
import type { DriverKind } from '../operations/driver.ts';
import { flatMachine, type GuardArgs, type Draft } from './flat-machine.ts';
import { NAMELESS, STRANGER } from './unshown.ts';

/** Named after the owner: none, kernel drivers, a group's file in a container, an iommufd. */
export type GroupState = 'unowned' | 'kernel' | 'container' | 'iommufd';

export interface GroupRecord {
  /** Devices registered with VFIO. */
  readonly members: number;
  /** The group file that is open (`opened_file`). */
  readonly opener: FileId | null;
  /** The iommufd that owns the group, or the group's file whose container owns it. */
  readonly owner: FileId | null;
  /** `owner_cnt`. */
  readonly claims: number;
  /** Devices on kernel drivers that claim nothing; they make the group not viable. */
  readonly unclaimed: number;
  /** Devices bound through their cdev (`cdev_device_open_cnt`); they block opens of the group. */
  readonly cdevBound: number;
  /** The page table that the attached members share, and how many are attached. */
  readonly hwpt: number | null;
  readonly attached: number;
}

export type GroupEvent =
  | {
      readonly type: 'driver.bound';
      readonly kind: DriverKind;
      /** Whether the driver claims the group's DMA. */
      readonly claims: boolean;
    }
  | {
      readonly type: 'driver.unbound';
      readonly kind: DriverKind;
      /** Whether the driver had claimed the group's DMA. */
      readonly claims: boolean;
      /** Whether the group's incarnation ends with it. */
      readonly ends: boolean;
    }
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
  unclaimed: 0,
  cdevBound: 0,
  hwpt: null,
  attached: 0,
};

type Args = GuardArgs<GroupRecord, GroupEvent>;

const guards = {
  /** Without a VFIO device, a group has a node only as long as its file is open. */
  hasNode: ({ context }: Args) => context.members > 0 || context.opener !== null,
  viable: ({ context }: Args) => context.unclaimed === 0,
  fileClosed: ({ context }: Args) => context.opener === null,
  noCdevBound: ({ context }: Args) => context.cdevBound === 0,
  claimsNothing: ({ event }: Args) =>
    event.type === 'driver.bound'
      ? !event.claims
      : event.type === 'container.set'
        ? !event.native
        : event.type === 'device.obtained' && event.iommufd === null,
  noKernelDriver: ({ event }: Args) => event.type === 'driver.bound' && event.kind !== 'kernel',
  claims: (asked: Args) => !guards.claimsNothing(asked),
  sameIommufd: ({ context, event }: Args) =>
    (event.type === 'device.bound' && isSame(event.iommufd, context.owner)) ||
    (event.type === 'device.obtained' &&
      (event.iommufd === null || isSame(event.iommufd, context.owner))),
  samePageTable: ({ context, event }: Args) =>
    event.type === 'device.attached'
      ? context.hwpt === null || context.hwpt === event.hwpt || event.replaces
      : event.type === 'device.obtained' &&
        (event.iommufd === null || context.hwpt === null || context.hwpt === event.hwpt),
  lastKernelDriver: ({ context, event }: Args) =>
    event.type === 'driver.unbound' && event.claims && context.claims === 1,
  lastMember: ({ event }: Args) => event.type === 'driver.unbound' && event.ends,
  lastClaim: ({ context, event }: Args) =>
    event.type === 'device.released' && event.claim && context.claims === 1,
};

/** Whether an iommufd may be the owner; an owner without a name (`NAMELESS`) may be any. */
function isSame(file: FileId, owner: FileId | null): boolean {
  return file === owner || (owner === NAMELESS && file !== STRANGER);
}

type Guard = keyof typeof guards;

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

function remember(group: Draft<GroupRecord>, event: GroupEvent): void {
  switch (event.type) {
    case 'driver.bound':
      if (event.kind === 'vfio') group.members++;
      if (event.claims) group.claims++;
      else if (event.kind === 'kernel') group.unclaimed++;
      return;
    case 'driver.unbound':
      if (event.claims) group.claims--;
      else if (event.kind === 'kernel') group.unclaimed--;
      if (event.kind === 'vfio') group.members = Math.max(0, group.members - 1);
      // An open file of the incarnation that ends is dead from here on.
      if (event.ends) closeFile(group);
      return;
    case 'group.opened':
      group.opener = event.file;
      return;
    case 'group.released':
      closeFile(group);
      return;
    case 'container.set':
      if (event.native) Object.assign(group, { owner: event.file, claims: 1 });
      return;
    case 'container.unset':
      if (event.native) Object.assign(group, released);
      return;
    case 'device.obtained':
      if (event.iommufd === null) return;
      group.owner = event.iommufd;
      group.claims++;
      group.hwpt = event.hwpt;
      group.attached++;
      return;
    case 'device.bound':
      group.owner = event.iommufd;
      group.claims++;
      group.cdevBound++;
      return;
    case 'device.attached':
      group.hwpt = event.hwpt;
      if (!event.replaces) group.attached++;
      return;
    case 'device.detached':
      if (event.attached) detach(group);
      return;
    case 'device.released':
      if (event.attached) detach(group);
      if (event.cdev) group.cdevBound--;
      if (event.claim && group.claims === 1) Object.assign(group, released);
      else if (event.claim) group.claims--;
      return;
    default:
      event satisfies never;
  }
}

/** Closes the group's file, which ends its ownership through a container. */
function closeFile(group: Draft<GroupRecord>): void {
  if (group.owner !== null && group.owner === group.opener) Object.assign(group, released);
  group.opener = null;
}

function detach(group: Draft<GroupRecord>): void {
  group.attached--;
  if (group.attached === 0) group.hwpt = null;
}

/**
 * The viable flag of VFIO_GROUP_GET_STATUS: set if the group has a container, or if its DMA has no
 * claim (vfio/group.c:vfio_group_ioctl_get_status). Without a DMA owner: set if no device is on a
 * kernel driver (vfio/vfio.c:vfio_dev_viable).
 */
export function isViable(
  { claims, unclaimed }: Pick<GroupRecord, 'claims' | 'unclaimed'>,
  containerSet: boolean,
): boolean {
  return unclaimed === 0 && (containerSet || claims === 0);
}

export const groupMachine = flatMachine({
  id: 'group',
  fresh: nobody,
  guards,
  targets,
  remember,
  copy: (record) => ({ ...record }),
});
