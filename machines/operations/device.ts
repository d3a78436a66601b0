/**
 * The rules of a device's own file: bind, attach, detach and information.
 *
 * @module
 */
import type { CallOf } from '../../events/vocabulary.ts';
import { anyDeviceFile, openDeviceFile, ownContext } from '../blockers.ts';
import type { Check, OperationTable, Question, Unshown } from '../check.ts';
import {
  anybody,
  argumentOf,
  namelessIommufd,
  ofItsFile,
  withDevice,
  type Directory,
  type Given,
} from '../concerns.ts';
import { triesReset } from '../device-model.ts';
import type { OpenFile } from '../instances.ts';
import { lowestFreeId } from '../iommufd.ts';
import { NAMELESS, UNSHOWN } from '../unshown.ts';
import { bound, onFile, sinceCdevs } from './descriptor.ts';
import { attachOperations } from './attach.ts';
import { claimable } from './claims.ts';
import { groupFileClosed } from './open.ts';
import { flagsKnown, hasFlag, longEnough, shape } from './shape.ts';
import { shown } from './shown.ts';

const BIND = 'vfio/device_cdev.c:vfio_df_ioctl_bind_iommufd';

/** Checks that were merged in another form than proposed in 2021, and their proposed form. */
const merged = { until: 'rfc-2021' } as const;
const proposed = { since: 'rfc-2021' } as const;
const BIND_2021 = 'vfio/pci/vfio_pci.c:vfio_pci_ioctl (RFC 08/20)';
const IOMMUFD_2021 = 'iommu/iommufd/iommufd.c:iommufd_bind_device (RFC 07/20)';
const DMA_2021 = 'iommu/iommu.c:iommu_device_init_user_dma (RFC 06/20)';

/** The descriptor given is open and is an iommufd; `[closed, other]` are the errnos if not. */
const iommufdGiven = (
  source: string,
  [closed, other]: readonly [string, string],
  profiles: Pick<Check, 'since' | 'until'>,
): readonly Check[] => [
  {
    ...profiles,
    name: 'iommufd-descriptor-open',
    asks: 'descriptor',
    holds: ({ argument }) => argument !== undefined,
    errno: closed,
    cause: 'bad-descriptor',
    source,
  },
  {
    ...profiles,
    name: 'descriptor-is-an-iommufd',
    asks: 'descriptor',
    holds: ({ argument }) => argument?.kind === 'iommufd',
    errno: other,
    cause: 'not-an-iommufd',
    source,
  },
];

const bind: readonly Check<CallOf<'bind'>>[] = [
  ...onFile(['device']).filter((check) => check !== bound),
  {
    name: 'kernel-has-cdevs',
    asks: 'host',
    until: 'linux-6.12',
    holds: () => false,
    errno: 'ENOTTY',
    cause: 'unsupported',
    source: 'vfio/pci/vfio_pci_core.c:vfio_pci_core_ioctl',
  },
  ...sinceCdevs<CallOf<'bind'>>([
    longEnough(16, BIND),
    {
      name: 'argument-short-enough',
      asks: 'call',
      since: 'linux-7.3',
      // Zeroes behind the structure are accepted, as far as the caller's memory has them.
      holds: (question) => (shape(question).argsz ?? 16) < 4096,
      errno: 'E2BIG',
      cause: 'malformed-argument',
      source: BIND,
    },
    {
      name: 'iommufd-not-negative',
      asks: 'call',
      holds: ({ call }) => call.iommufd >= 0,
      errno: 'EINVAL',
      cause: 'malformed-argument',
      source: BIND,
    },
    flagsKnown(BIND),
    {
      ...merged,
      name: 'file-not-from-a-group',
      asks: 'deviceFile',
      in: ['granted'],
      errno: 'EINVAL',
      cause: 'opened-through-group',
      source: BIND,
    },
    {
      ...proposed,
      name: 'device-not-opened-through-group',
      asks: 'device',
      guard: 'notThroughGroup',
      errno: 'ENOTTY',
      cause: 'opened-through-group',
      source: BIND_2021,
      blocker: openDeviceFile,
    },
    ...groupFileClosed('group-file-open', 'vfio/group.c:vfio_device_block_group'),
    {
      ...merged,
      name: 'file-unbound',
      asks: 'deviceFile',
      in: ['bound'],
      errno: 'EINVAL',
      cause: 'file-already-bound',
      source: BIND,
      blocker: ownContext,
    },
    {
      ...proposed,
      name: 'file-unbound',
      asks: 'deviceFile',
      in: ['bound'],
      errno: 'EBUSY',
      cause: 'file-already-bound',
      source: BIND_2021,
      blocker: ownContext,
    },
    {
      name: 'token-readable',
      asks: 'call',
      since: 'linux-7.3',
      holds: (question) => !hasFlag(question),
      errno: 'EFAULT',
      cause: 'malformed-argument',
      source: 'vfio/device_cdev.c:vfio_df_check_token',
    },
    ...iommufdGiven('iommu/iommufd/main.c:iommufd_ctx_from_fd', ['EBADF', 'EBADFD'], merged),
    ...iommufdGiven(IOMMUFD_2021, ['EINVAL', 'EINVAL'], proposed),
    {
      ...merged,
      name: 'device-not-open',
      asks: 'device',
      guard: 'notOpen',
      errno: 'EINVAL',
      cause: 'device-open-elsewhere',
      source: 'vfio/vfio_main.c:vfio_df_open',
      blocker: openDeviceFile,
    },
    {
      ...proposed,
      name: 'device-not-open',
      asks: 'device',
      guard: 'notOpen',
      errno: 'EBUSY',
      cause: 'device-open-elsewhere',
      source: BIND_2021,
      blocker: openDeviceFile,
    },
    ...claimable('iommu/iommu.c:iommu_device_claim_dma_owner', { iommufd: 'sameIommufd' }).map(
      (check): Check => ({ ...check, ...merged }),
    ),
    ...claimable(DMA_2021, { iommufd: 'sameIommufd' }).map((check): Check => {
      const errno = check.cause === 'owned-by-kernel-driver' ? 'EINVAL' : 'EBUSY';
      return { ...check, ...proposed, errno };
    }),
    {
      name: 'device-lock-free-for-its-reset',
      asks: 'host',
      holds: ({ device }) => device?.state !== 'leaving' || !triesReset(device),
      errno: 'EAGAIN',
      cause: 'device-leaving',
      source: 'vfio/pci/vfio_pci_core.c:vfio_pci_core_enable',
      blocker: anyDeviceFile,
    },
  ]),
];

/** A valid number for a descriptor whose file is given separately. */
const SOME_FD = 1023;

/**
 * The iommufd that a bind presents. One that the evidence does not show is the group's owner, if it
 * has one: no other passes (iommu/iommu.c:iommu_device_claim_dma_owner).
 */
function contextGiven(
  host: Directory,
  { call, file }: Question<CallOf<'bind'>>,
  given: Given,
): OpenFile | undefined {
  const isShown = call.iommufd !== UNSHOWN || 'argument' in given;
  if (isShown) return argumentOf(host, call.pid, call.iommufd, given);
  const group = file?.kind === 'device' ? file.device.group : null;
  return group?.state === 'iommufd' ? host.file(group.record.owner ?? NAMELESS) : undefined;
}

function askBind(base: Question<CallOf<'bind'>>, host: Directory, given: Given): Question {
  const { file } = base;
  const argument = contextGiven(host, base, given);
  if (file?.kind !== 'device') return { ...withDevice(base), argument };
  const type = 'device.bound';
  const iommufd = argument?.kind === 'iommufd' ? argument : undefined;
  const id = given.id ?? (iommufd === undefined ? 0 : lowestFreeId(iommufd.record));
  return {
    ...withDevice(base),
    argument,
    iommufd,
    events: {
      device: { type, file: file.id, iommufd: iommufd?.id ?? NAMELESS, id },
      group: { type, iommufd: iommufd?.id ?? NAMELESS },
      deviceFile: { type },
      ...(iommufd && { iommufd: { type, id } }),
    },
  };
}

/** The bind may have presented the owner, if that is known, or any other file. */
function bindsUnshown({ attempt, call, own, host, ask }: Unshown<'bind'>): Question[] {
  const { group } = own;
  if (attempt.iommufd !== null && group?.record.owner !== NAMELESS) return [own];
  const { owner = null } = group?.state === 'iommufd' ? group.record : {};
  const known = owner === NAMELESS ? namelessIommufd(host) : host.file(owner ?? '');
  const contexts = [...(known === undefined ? [] : [known]), ...anybody(host)];
  return contexts.map((argument) => ask({ ...call, iommufd: SOME_FD }, { argument }));
}

export const deviceOperations: OperationTable<'bind' | 'attach' | 'detach' | 'device_info'> = {
  bind: {
    since: 'linux-6.12',
    concerns: askBind,
    checks: bind,
    isBeyondJudging: null,
    unshown: {},
    hypotheses: bindsUnshown,
  },
  ...attachOperations,
  device_info: { ...shown, concerns: ofItsFile, checks: onFile(['device']) },
};
