/**
 * The checks of the legacy path: a group, its container, and the devices got from it.
 *
 * @module
 */
import {
  anyDeviceFile,
  attachedSibling,
  containerUser,
  givenContainer,
  owner,
} from '../blockers.ts';
import type { Check, OperationRules } from '../check.ts';
import { onFile } from './descriptor.ts';

const live: Check = {
  name: 'group-alive',
  asks: 'groupFile',
  in: ['dead'],
  errno: 'ENODEV',
  cause: 'group-dead',
  source: 'vfio/group.c:vfio_group_ioctl_get_status',
};

const SET_CONTAINER = 'vfio/group.c:vfio_group_ioctl_set_container';

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

export const groupOperations = {
  group_status: { records: null, checks: onFile(['group'], [live]) },
  set_container: {
    records: 'container.set',
    checks: onFile(
      ['group'],
      [
        {
          name: 'container-descriptor-open',
          asks: 'descriptor',
          holds: ({ argument }) => argument !== undefined,
          errno: 'EBADF',
          cause: 'bad-descriptor',
          source: SET_CONTAINER,
        },
        {
          name: 'no-container-yet',
          asks: 'groupFile',
          guard: 'noContainer',
          errno: 'EINVAL',
          cause: 'container-already-set',
          source: SET_CONTAINER,
          blocker: givenContainer,
        },
        { ...live, source: SET_CONTAINER },
        {
          name: 'descriptor-is-a-container',
          asks: 'descriptor',
          until: 'linux-6.12',
          holds: ({ argument }) => argument?.kind === 'container',
          errno: 'EINVAL',
          cause: 'wrong-file-kind',
          source: SET_CONTAINER,
        },
        {
          name: 'descriptor-is-a-container',
          asks: 'descriptor',
          since: 'linux-6.12',
          holds: ({ argument }) => argument?.kind === 'container' || argument?.kind === 'iommufd',
          errno: 'EBADFD',
          cause: 'wrong-file-kind',
          source: SET_CONTAINER,
        },
        ...claimable('iommu/iommu.c:iommu_group_claim_dma_owner', {
          iommufd: 'claimsNothing',
          others: 'claimsNothing',
        }),
      ],
    ),
  },
  unset_container: {
    records: 'container.unset',
    checks: onFile(
      ['group'],
      [
        {
          name: 'container-set',
          asks: 'groupFile',
          guard: 'containerSet',
          errno: 'EINVAL',
          cause: 'no-container',
          source: 'vfio/group.c:vfio_group_ioctl_unset_container',
        },
        {
          name: 'container-unused',
          asks: 'groupFile',
          in: ['container'],
          guard: 'noUsers',
          errno: 'EBUSY',
          cause: 'container-in-use',
          source: 'vfio/group.c:vfio_group_ioctl_unset_container',
          blocker: containerUser,
        },
      ],
    ),
  },
  get_device: {
    records: 'device.obtained',
    checks: onFile(
      ['group'],
      [
        { ...live, source: 'vfio/group.c:vfio_device_get_from_name' },
        {
          name: 'device-in-group',
          asks: 'host',
          holds: ({ device, group }) => device !== undefined && device.group === group,
          errno: 'ENODEV',
          cause: 'no-such-device',
          source: 'vfio/group.c:vfio_device_get_from_name',
        },
        {
          name: 'device-registered',
          asks: 'device',
          in: ['absent'],
          errno: 'ENODEV',
          cause: 'no-such-device',
          source: 'vfio/group.c:vfio_device_get_from_name',
        },
        {
          name: 'device-staying',
          asks: 'device',
          since: 'linux-6.12',
          in: ['leaving'],
          errno: 'ENODEV',
          cause: 'device-leaving',
          source: 'vfio/group.c:vfio_device_get_from_name',
          blocker: anyDeviceFile,
        },
        {
          name: 'container-set',
          asks: 'groupFile',
          guard: 'containerSet',
          errno: 'EINVAL',
          cause: 'no-container',
          source: 'vfio/group.c:vfio_df_group_open',
        },
        {
          name: 'iommu-set',
          asks: 'container',
          in: ['empty', 'joined'],
          errno: 'EINVAL',
          cause: 'no-iommu-driver',
          source: 'vfio/container.c:vfio_group_use_container',
        },
        ...claimable('iommu/iommu.c:iommu_device_claim_dma_owner', {
          iommufd: 'sameIommufd',
          others: 'claimsNothing',
        }),
        {
          since: 'linux-6.12',
          name: 'compat-ioas-there',
          asks: 'iommufd',
          in: ['plain'],
          errno: 'ENODEV',
          cause: 'no-compat-ioas',
          source: 'iommu/iommufd/vfio_compat.c:iommufd_vfio_compat_ioas_get_id',
        },
        samePageTable,
      ],
    ),
  },
} satisfies Record<string, OperationRules>;
