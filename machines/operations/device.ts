/**
 * The checks of a device's own file: bind, attach, detach and information.
 *
 * @module
 */
import { anyDeviceFile, attachedSibling, openDeviceFile, ownContext } from '../blockers.ts';
import type { Check, OperationRules, PlainCheck, Question } from '../check.ts';
import { triesReset } from '../device-model.ts';
import type { Profile } from '../profile.ts';
import { bound, onFile } from './descriptor.ts';
import { claimable } from './group.ts';
import { groupFileClosed } from './open.ts';

const BIND = 'vfio/device_cdev.c:vfio_df_ioctl_bind_iommufd';
const ATTACH = 'vfio/device_cdev.c:vfio_df_ioctl_attach_pt';
const DETACH = 'vfio/device_cdev.c:vfio_df_ioctl_detach_pt';

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
    blocker: ownContext,
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
  ...claimable('iommu/iommu.c:iommu_device_claim_dma_owner', { iommufd: 'sameIommufd' }),
  {
    name: 'device-lock-free-for-its-reset',
    asks: 'host',
    holds: ({ device }) => device?.state !== 'leaving' || !triesReset(device),
    errno: 'EAGAIN',
    cause: 'device-leaving',
    source: 'vfio/pci/vfio_pci_core.c:vfio_pci_core_enable',
    blocker: anyDeviceFile,
  },
];

const PASID: readonly Profile[] = ['linux-7.3'];

/** What attach and detach have in common; a PASID lies behind `least` bytes of their structures. */
const onBoundFile = (least: number, source: string): readonly Check[] => [
  ...onFile(['device']),
  {
    name: 'file-not-from-a-group',
    asks: 'deviceFile',
    in: ['granted'],
    errno: 'ENOTTY',
    cause: 'opened-through-group',
    source: 'vfio/vfio_main.c:vfio_device_fops_unl_ioctl',
  },
  longEnough(least, source),
  flagsKnown(0, source, ['linux-6.12']),
  flagsKnown(1, source, PASID),
  {
    name: 'pasid-in-argument',
    asks: 'call',
    profiles: PASID,
    holds: (question) => !hasFlag(question) || (shape(question).argsz ?? least) >= least + 4,
    errno: 'EINVAL',
    cause: 'malformed-argument',
    source,
  },
];

const attach: readonly Check[] = [
  ...onBoundFile(12, ATTACH),
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

export const deviceOperations = {
  bind: { records: 'device.bound', checks: bind },
  attach: { records: 'device.attached', checks: attach },
  detach: { records: 'device.detached', checks: onBoundFile(8, DETACH) },
  device_info: { records: null, checks: onFile(['device']) },
} satisfies Record<string, OperationRules>;
