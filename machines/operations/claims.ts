/**
 * Checks that several operations of a group share: the group is alive, and its DMA can be claimed.
 *
 * @module
 */
import { attachedSibling, owner } from '../blockers.ts';
import type { Check } from '../check.ts';
import type { GroupFile } from '../instances.ts';
import { NAMELESS } from '../unshown.ts';
import { sinceDmaOwner } from './before-dma-owner.ts';

/** The group that the file was opened for still has a VFIO device. */
export const live: Check = {
  ...sinceDmaOwner,
  name: 'group-alive',
  asks: 'groupFile',
  in: ['dead'],
  errno: 'ENODEV',
  cause: 'group-dead',
  source: 'vfio/group.c:vfio_group_ioctl_get_status',
};

/**
 * The group can be claimed: no kernel driver, container or other iommufd owns it. The guards say
 * when an owner is no obstacle: `iommufd` if it is the same iommufd, `others` if the call claims
 * nothing.
 */
export function claimable(
  source: string,
  { iommufd, others }: { readonly iommufd: string; readonly others?: string },
): readonly Check[] {
  const claim = {
    ...sinceDmaOwner,
    asks: 'group',
    errno: 'EPERM',
    source,
    blocker: owner,
  } as const;
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

/** Attached devices of a group share a page table: for an attach, or a first open that attaches. */
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

/** Whether the group was given a container that was not recorded. */
export function isUnseen({ record, state }: GroupFile): boolean {
  return record.container === NAMELESS && state !== 'iommufd';
}
