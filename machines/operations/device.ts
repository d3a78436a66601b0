/**
 * The checks of a device's own file: bind, attach, detach, resets and information.
 *
 * @module
 */
import { attachedSibling, openDeviceFile, owner } from '../blockers.ts';
import type { Check, OperationRules, PlainCheck, Question } from '../check.ts';
import { busOfDevice, canReset, hasBusReset, triesReset } from '../device-model.ts';
import { kindOfDriver } from '../driver.ts';
import type { Profile } from '../profile.ts';
import { bound, onFile, since66 } from './descriptor.ts';
import { claimable } from './group.ts';
import { groupFileClosed } from './open.ts';

const BIND = 'vfio/device_cdev.c:vfio_df_ioctl_bind_iommufd';
const ATTACH = 'vfio/device_cdev.c:vfio_df_ioctl_attach_pt';
const DETACH = 'vfio/device_cdev.c:vfio_df_ioctl_detach_pt';
const HOT_RESET = 'vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_pci_hot_reset';

interface Shape {
  readonly argsz?: number | undefined;
  readonly flags?: number | undefined;
}
const shape = ({ call }: Question): Shape => call as Shape;

/** The structure is as long as the kernel wants it (`least`, or `default` where not said). */
const longEnough = (least: number, source: string): PlainCheck => ({
  name: 'argument-long-enough',
  asks: 'call',
  holds: (question) => (shape(question).argsz ?? least) >= least,
  errno: 'EINVAL',
  cause: 'malformed-argument',
  source,
});

/** No flag but those in `known`. */
const flagsKnown = (known: number, source: string, profiles: readonly Profile[]): PlainCheck => ({
  name: 'flags-known',
  asks: 'call',
  profiles,
  holds: (question) => ((shape(question).flags ?? 0) & ~known) === 0,
  errno: 'EINVAL',
  cause: 'malformed-argument',
  source,
});

const hasFlag = (question: Question): boolean => ((shape(question).flags ?? 0) & 1) !== 0;

const bind: readonly Check[] = [
  ...onFile(['device']).filter((check) => check !== bound),
  {
    name: 'kernel-has-cdevs',
    asks: 'host',
    profiles: ['linux-6.1'],
    holds: () => false,
    errno: 'ENOTTY',
    cause: 'unsupported',
    source: 'vfio/pci/vfio_pci_core.c:vfio_pci_core_ioctl',
  },
  longEnough(16, BIND),
  {
    name: 'argument-short-enough',
    asks: 'call',
    profiles: ['linux-7.3'],
    // Zeroes behind the structure are read and accepted up to where the caller's memory has none.
    holds: (question) => (shape(question).argsz ?? 16) < 4096,
    errno: 'E2BIG',
    cause: 'malformed-argument',
    source: BIND,
  },
  {
    name: 'iommufd-not-negative',
    asks: 'call',
    holds: ({ call }) => call.operation === 'bind' && call.iommufd >= 0,
    errno: 'EINVAL',
    cause: 'malformed-argument',
    source: BIND,
  },
  flagsKnown(0, BIND, ['linux-6.12']),
  flagsKnown(1, BIND, ['linux-7.3']),
  {
    name: 'file-not-from-a-group',
    asks: 'deviceFile',
    in: ['granted'],
    errno: 'EINVAL',
    cause: 'opened-through-group',
    source: BIND,
  },
  ...groupFileClosed('group-file-open', 'vfio/group.c:vfio_device_block_group'),
  {
    name: 'file-unbound',
    asks: 'deviceFile',
    in: ['bound'],
    errno: 'EINVAL',
    cause: 'file-already-bound',
    source: BIND,
  },
  {
    name: 'token-readable',
    asks: 'call',
    profiles: ['linux-7.3'],
    holds: (question) => !hasFlag(question),
    errno: 'EFAULT',
    cause: 'malformed-argument',
    source: 'vfio/device_cdev.c:vfio_df_check_token',
  },
  {
    name: 'iommufd-descriptor-open',
    asks: 'descriptor',
    holds: ({ argument }) => argument !== undefined,
    errno: 'EBADF',
    cause: 'bad-descriptor',
    source: 'iommu/iommufd/main.c:iommufd_ctx_from_fd',
  },
  {
    name: 'descriptor-is-an-iommufd',
    asks: 'descriptor',
    holds: ({ argument }) => argument?.kind === 'iommufd',
    errno: 'EBADFD',
    cause: 'not-an-iommufd',
    source: 'iommu/iommufd/main.c:iommufd_ctx_from_fd',
  },
  {
    name: 'device-not-open',
    asks: 'device',
    guard: 'notOpen',
    errno: 'EINVAL',
    cause: 'device-open-elsewhere',
    source: 'vfio/vfio_main.c:vfio_df_open',
    blocker: openDeviceFile,
  },
  ...claimable('EPERM', 'iommu/iommu.c:iommu_device_claim_dma_owner'),
  {
    name: 'same-iommufd',
    asks: 'group',
    in: ['iommufd'],
    guard: 'sameIommufd',
    errno: 'EPERM',
    cause: 'owned-by-other-iommufd',
    source: 'iommu/iommu.c:iommu_device_claim_dma_owner',
    blocker: owner,
  },
  {
    name: 'device-lock-free-for-its-reset',
    asks: 'host',
    holds: ({ device }) => device?.state !== 'leaving' || !triesReset(device),
    errno: 'EAGAIN',
    cause: 'device-leaving',
    source: 'vfio/pci/vfio_pci_core.c:vfio_pci_core_enable',
  },
];

const PASID: readonly Profile[] = ['linux-7.3'];

const attach: readonly Check[] = [
  ...onFile(['device']),
  {
    name: 'file-not-from-a-group',
    asks: 'deviceFile',
    in: ['granted'],
    errno: 'ENOTTY',
    cause: 'opened-through-group',
    source: 'vfio/vfio_main.c:vfio_device_fops_unl_ioctl',
  },
  longEnough(12, ATTACH),
  flagsKnown(0, ATTACH, ['linux-6.12']),
  flagsKnown(1, ATTACH, PASID),
  {
    name: 'pasid-in-argument',
    asks: 'call',
    profiles: PASID,
    holds: (question) => !hasFlag(question) || (shape(question).argsz ?? 12) >= 16,
    errno: 'EINVAL',
    cause: 'malformed-argument',
    source: ATTACH,
  },
  {
    name: 'page-table-exists',
    asks: 'call',
    holds: ({ call, iommufd }) =>
      call.operation !== 'attach' || iommufd?.record.objects.has(call.pt) === true,
    errno: 'ENOENT',
    cause: 'no-such-object',
    source: 'iommu/iommufd/device.c:iommufd_device_change_pt',
  },
  {
    name: 'object-is-a-page-table',
    asks: 'call',
    holds: ({ call, iommufd }) =>
      call.operation !== 'attach' || iommufd?.record.objects.get(call.pt)?.kind !== 'device',
    errno: 'EINVAL',
    cause: 'malformed-argument',
    source: 'iommu/iommufd/device.c:iommufd_device_change_pt',
  },
  {
    name: 'page-table-made-for-pasids',
    asks: 'call',
    profiles: PASID,
    holds: (question) => !hasFlag(question),
    errno: 'EINVAL',
    cause: 'unsupported',
    source: 'iommu/iommufd/device.c:iommufd_hwpt_pasid_compat',
  },
  {
    name: 'same-page-table',
    asks: 'group',
    guard: 'samePageTable',
    errno: 'EINVAL',
    cause: 'sibling-attached-elsewhere',
    source: 'iommu/iommufd/device.c:iommufd_hw_pagetable_attach',
    blocker: attachedSibling,
  },
];

const detach: readonly Check[] = [
  ...onFile(['device']),
  {
    name: 'file-not-from-a-group',
    asks: 'deviceFile',
    in: ['granted'],
    errno: 'ENOTTY',
    cause: 'opened-through-group',
    source: 'vfio/vfio_main.c:vfio_device_fops_unl_ioctl',
  },
  longEnough(8, DETACH),
  flagsKnown(0, DETACH, ['linux-6.12']),
  flagsKnown(1, DETACH, PASID),
  {
    name: 'pasid-in-argument',
    asks: 'call',
    profiles: PASID,
    holds: (question) => !hasFlag(question) || (shape(question).argsz ?? 8) >= 12,
    errno: 'EINVAL',
    cause: 'malformed-argument',
    source: DETACH,
  },
];

const deviceLockFree: PlainCheck = {
  name: 'device-lock-free',
  asks: 'host',
  holds: ({ device }) => device?.state !== 'leaving',
  errno: 'EAGAIN',
  cause: 'device-leaving',
  source: 'vfio/pci/vfio_pci_core.c:vfio_pci_try_reset_function',
};

const reset: readonly Check[] = [
  ...onFile(['device']),
  {
    name: 'device-can-reset-itself',
    asks: 'host',
    holds: ({ device }) => device !== undefined && canReset(device),
    errno: 'EINVAL',
    cause: 'not-ownership',
    source: 'vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_reset',
  },
  deviceLockFree,
];

const busResettable: PlainCheck = {
  name: 'bus-can-be-reset',
  asks: 'host',
  holds: ({ device }) => device !== undefined && hasBusReset(device),
  errno: 'ENODEV',
  cause: 'not-ownership',
  source: HOT_RESET,
};

const groupsGiven = ({ call }: Question): readonly number[] =>
  call.operation === 'hot_reset' ? call.groups : [];

const isBoundFile = ({ file }: Question): boolean =>
  file?.kind === 'device' && file.state === 'bound';

/** Whether every device that a bus reset hits is on a VFIO driver. */
function allOnVfio({ device }: Question): boolean {
  return (
    device !== undefined &&
    busOfDevice(device).every(({ driver }) => driver !== null && kindOfDriver(driver) === 'vfio')
  );
}

/** Whether the caller has shown that every device that the reset hits is his. */
function allOwned(question: Question): boolean {
  const { device, givenGroups = [] } = question;
  if (device === undefined) return false;
  return busOfDevice(device).every(({ group }) =>
    isBoundFile(question)
      ? group?.state === 'iommufd' && group.record.owner === device.record.iommufd
      : givenGroups.some((file) => file?.kind === 'group' && file.group === group),
  );
}

const hotReset: readonly Check[] = [
  ...onFile(['device', 'iommufd', 'container']),
  {
    name: 'read-as-a-mapping-of-the-right-length',
    asks: 'descriptor',
    holds: ({ file }) => file?.kind === 'device',
    errno: 'EINVAL',
    cause: 'wrong-file-kind',
    source: 'vfio/container.c:vfio_fops_unl_ioctl',
  },
  {
    name: 'proof-of-the-right-style',
    asks: 'call',
    profiles: since66,
    holds: (question) => isBoundFile(question) === (groupsGiven(question).length === 0),
    errno: 'EINVAL',
    cause: 'malformed-argument',
    source: HOT_RESET,
  },
  busResettable,
  {
    name: 'groups-given',
    asks: 'call',
    holds: (question) =>
      isBoundFile(question) ||
      (groupsGiven(question).length > 0 &&
        groupsGiven(question).length <= (question.device ? busOfDevice(question.device).length : 0)),
    errno: 'EINVAL',
    cause: 'malformed-argument',
    source: HOT_RESET,
  },
  {
    name: 'group-descriptors-open',
    asks: 'descriptor',
    holds: ({ givenGroups = [] }) => givenGroups.every((file) => file !== undefined),
    errno: 'EBADF',
    cause: 'bad-descriptor',
    source: HOT_RESET,
  },
  {
    name: 'descriptors-are-groups',
    asks: 'descriptor',
    holds: ({ givenGroups = [] }) => givenGroups.every((file) => file?.kind === 'group'),
    errno: 'EINVAL',
    cause: 'wrong-file-kind',
    source: HOT_RESET,
  },
  {
    name: 'all-affected-on-vfio-drivers',
    asks: 'host',
    holds: allOnVfio,
    errno: 'EINVAL',
    cause: 'reset-not-owned',
    source: 'vfio/pci/vfio_pci_core.c:vfio_pci_is_device_in_set',
  },
  {
    name: 'all-affected-owned',
    asks: 'host',
    holds: allOwned,
    errno: 'EINVAL',
    cause: 'reset-not-owned',
    source: 'vfio/pci/vfio_pci_core.c:vfio_pci_dev_set_hot_reset',
  },
  deviceLockFree,
  {
    name: 'bus-reset-works',
    asks: 'host',
    // No bus or slot of the machines that were asked can be reset.
    holds: () => false,
    unseen: true,
    errno: 'ENOTTY',
    cause: 'not-ownership',
    source: 'pci/pci.c:pci_reset_bus',
  },
];

export const deviceOperations = {
  bind: { records: 'device.bound', checks: bind },
  attach: { records: 'device.attached', checks: attach },
  detach: { records: 'device.detached', checks: detach },
  device_info: { records: null, checks: onFile(['device']) },
  reset: { records: 'device.reset', checks: reset },
  hot_reset_info: {
    records: null,
    checks: [
      ...onFile(['device', 'iommufd', 'container']),
      {
        name: 'iommu-set',
        asks: 'container',
        in: ['empty', 'joined'],
        errno: 'EINVAL',
        cause: 'wrong-file-kind',
        source: 'vfio/container.c:vfio_fops_unl_ioctl',
      },
      {
        // The number is that of IOMMU_GET_INFO on what serves as a container.
        name: 'compat-ioas-there',
        asks: 'iommufd',
        in: ['plain'],
        errno: 'ENODEV',
        cause: 'no-compat-ioas',
        source: 'iommu/iommufd/vfio_compat.c:iommufd_vfio_iommu_get_info',
      },
      { ...busResettable, holds: (question) => question.file?.kind !== 'device' || busResettable.holds(question) },
    ],
  },
  hot_reset: { records: 'device.hot-reset', checks: hotReset },
} satisfies Record<string, OperationRules>;
