/**
 * Checks that several operations of a group share: that it is alive, and may be claimed.
 *
 * @module
 */
import { attachedSibling, owner } from '../blockers.ts';
import type { Check } from '../check.ts';
import type { GroupFile } from '../host.ts';
import { NAMELESS } from '../unshown.ts';

export const live: Check = {
  name: 'group-alive',
  asks: 'groupFile',
  in: ['dead'],
  errno: 'ENODEV',
  cause: 'group-dead',
  source: 'vfio/group.c:vfio_group_ioctl_get_status',
};

/**
 * The refusals of the arbiter: kernel drivers, a container or an iommufd own the group. Guards say
 * when an owner is no obstacle: an iommufd that is the same, or a call that claims nothing.
 */
export function claimable(
  source: string,
  { iommufd, others }: { readonly iommufd: string; readonly others?: string },
): readonly Check[] {
  const claim = { asks: 'group', errno: 'EPERM', source, blocker: owner } as const;
  const unless = others === undefined ? {} : { guard: others };
  return [
    {
      ...claim,
      ...unless,
      name: 'no-kernel-driver-in-group',
      in: ['kernel'],
      cause: 'owned-by-kernel-driver',
    },
    {
      ...claim,
      ...unless,
      name: 'no-container-owns-group',
      in: ['container'],
      cause: 'owned-by-container',
    },
    {
      ...claim,
      since: 'linux-6.12',
      guard: iommufd,
      name: 'no-other-iommufd-owns-group',
      in: ['iommufd'],
      cause: 'owned-by-other-iommufd',
    },
  ];
}

/** The attached devices of a group share a page table: for an attach, and a first open that is one. */
export const samePageTable: Check = {
  since: 'linux-6.12',
  name: 'same-page-table',
  asks: 'group',
  guard: 'samePageTable',
  errno: 'EINVAL',
  cause: 'sibling-attached-elsewhere',
  source: 'iommu/iommufd/device.c:iommufd_hw_pagetable_attach',
  blocker: attachedSibling,
};

/** Whether the group was put into a container that nobody has seen. */
export function isUnseen({ record, state }: GroupFile): boolean {
  return record.container === NAMELESS && state !== 'iommufd';
}
