/**
 * Refusals that no machine decides: by the driver of a device or of the IOMMU, by the device cgroup,
 * and for want of a module. The log does not hold what they depend on.
 *
 * So they are no checks: no rule is ever refused by one. An errno has only one cause if none of them
 * gives it, too.
 *
 * @module
 */
import type { Operation } from '../events/vocabulary.ts';
import type { Cause } from './causes.ts';
import { isSince, profiles, type Profile } from './profile.ts';

/** Errnos of an operation that have this cause, besides those of its checks. */
export interface OutsideRefusal {
  readonly operation: Operation;
  readonly errno: string;
  readonly cause: Cause;
  /** Where the kernel gives it, as `file:function`; below drivers/ if no other folder is named. */
  readonly source: string;
  /** The first profile that gives it. Absent: all that have the operation. */
  readonly since?: Profile;
}

const refusals = (
  operation: Operation,
  errnos: readonly string[],
  source: string,
  cause: Cause = 'not-ownership',
): OutsideRefusal[] => errnos.map((errno) => ({ operation, errno, cause, source }));

const CGROUP = ['EPERM', '../security/device_cgroup.c:devcgroup_check_permission'] as const;
const FIRST_OPEN = 'vfio/vfio_main.c:vfio_df_device_first_open';
const TYPE1 = 'vfio/vfio_iommu_type1.c:vfio_iommu_type1_attach_group';
const TRY_RESET = 'pci/pci.c:pci_try_reset_function';
const USER_PAGES = 'iommu/iommufd/pages.c:pfn_reader_user_pin';
const MISC = 'char/misc.c:misc_open';

/** The errno for memory that is not there: the log does not hold the memory of processes. */
const OF_MEMORY = 'EFAULT';

/** The call's structure cannot be read, or pages that were mapped for DMA have been unmapped. */
const ofMemory = (operation: Operation, argument: string): OutsideRefusal[] => [
  ...refusals(operation, [OF_MEMORY], argument, 'malformed-argument'),
  ...refusals(operation, [OF_MEMORY], USER_PAGES).map((row): OutsideRefusal => ({
    ...row,
    since: 'linux-6.12',
  })),
];

/** What the driver of an IOMMU says of a device (include/linux/iommu.h: attach_dev). */
const attaching = ['EBUSY', 'EINVAL', 'ENODEV', 'EPERM'];

export const outsideRefusals: readonly OutsideRefusal[] = [
  ...refusals('open_group', [CGROUP[0]], CGROUP[1]),
  ...refusals('open_cdev', [CGROUP[0]], CGROUP[1]),
  ...refusals('open_iommufd', [CGROUP[0]], CGROUP[1]),
  ...refusals('open_container', [CGROUP[0]], CGROUP[1]),
  ...refusals('open_container', ['ENOENT'], MISC, 'no-such-node'),
  ...refusals('open_container', ['ENODEV'], MISC, 'unsupported'),
  ...refusals('open_iommufd', ['ENODEV'], MISC, 'unsupported'),
  ...refusals('set_container', attaching, TYPE1),
  ...refusals('set_iommu', attaching, TYPE1),
  ...refusals('get_device', [...attaching, 'EAGAIN', 'EEXIST'], FIRST_OPEN),
  ...ofMemory('get_device', 'vfio/group.c:vfio_group_ioctl_get_device_fd'),
  ...ofMemory('attach', 'vfio/device_cdev.c:vfio_df_ioctl_attach_pt'),
  ...ofMemory('alloc_hwpt', 'iommu/iommufd/main.c:iommufd_fops_ioctl'),
  ...refusals('bind', [...attaching, 'EAGAIN', 'EEXIST'], FIRST_OPEN),
  ...refusals('attach', attaching, 'iommu/iommu.c:__iommu_attach_device'),
  ...refusals('alloc_hwpt', attaching, 'iommu/iommufd/hw_pagetable.c:iommufd_hwpt_paging_alloc'),
  ...refusals('map_dma', ['EBUSY', 'EINVAL'], 'vfio/vfio_iommu_type1.c:vfio_dma_do_map'),
  ...refusals('ioas_map', ['EEXIST', 'EINVAL'], 'iommu/iommufd/io_pagetable.c:iopt_map_pages'),
  ...refusals('reset', ['EAGAIN', 'ENOTTY'], TRY_RESET),
  ...refusals('hot_reset', ['EAGAIN'], 'pci/pci.c:pci_reset_bus'),
  ...refusals('set_driver', ['EBUSY', 'EINVAL', 'ENODEV'], 'base/dd.c:really_probe'),
];

/** Whether a kernel of a profile that has the operation gives such a refusal. */
export function isGivenBy({ since }: OutsideRefusal, profile: Profile): boolean {
  return since === undefined || isSince(profile, since);
}

/**
 * The causes that an errno of an operation can have from outside of the rules in kernels of these
 * profiles, each once.
 */
export function outsideCauses(
  operation: Operation,
  errno: string | null,
  within: readonly Profile[] = profiles,
): readonly Cause[] {
  const found = outsideRefusals.filter(
    (row) =>
      row.operation === operation &&
      row.errno === errno &&
      within.some((profile) => isGivenBy(row, profile)),
  );
  return [...new Set(found.map(({ cause }) => cause))];
}

/**
 * Whether a refusal may be for memory of a process that is not there. The log does not hold it, so no
 * rule excludes that.
 */
export function isOfMemory({
  operation,
  errno,
}: {
  readonly operation: Operation;
  readonly errno: string | null;
}): boolean {
  return errno === OF_MEMORY && outsideCauses(operation, errno).length > 0;
}

/** Errnos of memory, descriptors, signals and permissions. No rule of ownership gives them. */
const beside = new Set([
  'EACCES',
  'EINTR',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'ENOSPC',
  'EOVERFLOW',
  'ERESTARTSYS',
  'EROFS',
  'ETIMEDOUT',
]);

/** Whether an errno concerns no ownership, whatever the operation, unless a check gives it. */
export function isBesideOwnership(errno: string): boolean {
  return beside.has(errno);
}
