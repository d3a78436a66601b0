/**
 * The rules of the legacy path: a group, its container, and the devices obtained from it.
 *
 * @module
 */
import type { CallOf } from '../../events/vocabulary.ts';
import { containerUser, givenContainer } from '../blockers.ts';
import type { Check, OperationTable, Question, Unshown } from '../check.ts';
import {
  anybody,
  argumentOf,
  compatIoasOf,
  ofItsFile,
  someFile,
  withDevice,
  type Directory,
  type Given,
} from '../concerns.ts';
import type { GroupFile } from '../instances.ts';
import { NAMELESS, UNSHOWN } from '../unshown.ts';
import { beforeDmaOwner, containerNotNegative, sinceDmaOwner } from './before-dma-owner.ts';
import { claimable, isUnseen, live } from './claims.ts';
import { onFile } from './descriptor.ts';
import { getDeviceOperations } from './get-device.ts';
import { shown } from './shown.ts';

const SET_CONTAINER = 'vfio/group.c:vfio_group_ioctl_set_container';

/** A valid number for a descriptor whose file is given separately. */
const SOME_FD = 1023;

function askSetContainer(
  base: Question<CallOf<'set_container'>>,
  host: Directory,
  given: Given,
): Question {
  const { call, file } = base;
  const argument = argumentOf(host, call.pid, call.container, given);
  if (file?.kind !== 'group') return { ...withDevice(base), argument };
  const type = 'container.set';
  const leavesDoubt = call.container === UNSHOWN && mayBeIommufd(base, file);
  const native = argument?.kind !== 'iommufd' && !leavesDoubt;
  const container = argument?.kind === 'container' ? argument : undefined;
  const iommufd = argument?.kind === 'iommufd' ? argument : undefined;
  return {
    ...base,
    argument,
    groupFile: file,
    group: file.group,
    container,
    iommufd,
    leavesDoubt,
    events: {
      groupFile: { type, container: argument?.id ?? NAMELESS, native },
      group: { type, file: file.id, native },
      ...(container && { container: { type } }),
      ...(iommufd && { iommufd: { type, ioas: compatIoasOf(iommufd.record) } }),
    },
  };
}

/**
 * Whether a container that the evidence does not show may be an iommufd. It is one if an iommufd
 * owns the group, as a container would be refused. It may be one if the process has an iommufd
 * open.
 */
function mayBeIommufd(
  { call, host }: Question<CallOf<'set_container'>>,
  { group }: GroupFile,
): boolean {
  return group.state === 'iommufd' || host.hasOpen(call.pid, 'iommufd');
}

/**
 * The container may be any kind of file; if only its open is unrecorded, another file or none. A
 * negative number is also asked as it is: kernels before 5.19 refuse it by itself.
 */
function givenUnshown({ attempt, call, own, host, ask }: Unshown<'set_container'>): Question[] {
  const isShown = attempt.container !== null;
  if (isShown && own.argument !== undefined) return [own];
  const files = isShown ? [someFile(), undefined] : anybody(host);
  const asked = files.map((argument) => ask({ ...call, container: SOME_FD }, { argument }));
  return isShown && attempt.container < 0 ? [own, ...asked] : asked;
}

function askUnsetContainer(base: Question): Question {
  const { file, host } = base;
  if (file?.kind !== 'group') return withDevice(base);
  const given = file.record.container === null ? undefined : host.file(file.record.container);
  const container = given?.kind === 'container' ? given : undefined;
  const isNative = container !== undefined || isUnseen(file);
  // A dead file's group has a new incarnation, which does not concern the old file.
  const group = file.state === 'dead' ? undefined : file.group;
  return {
    ...base,
    groupFile: file,
    group,
    container,
    events: {
      groupFile: { type: 'container.unset' },
      ...(group && { group: { type: 'container.unset', native: isNative } }),
      ...(container && { container: { type: 'container.left' } }),
    },
  };
}

const noContainerYet: Check = {
  name: 'no-container-yet',
  asks: 'groupFile',
  guard: 'noContainer',
  errno: 'EINVAL',
  cause: 'container-already-set',
  source: SET_CONTAINER,
  blocker: givenContainer,
};

export const groupOperations: OperationTable<
  'group_status' | 'set_container' | 'unset_container' | 'get_device'
> = {
  group_status: { ...shown, concerns: ofItsFile, checks: onFile(['group'], [live]) },
  set_container: {
    concerns: askSetContainer,
    isBeyondJudging: null,
    unshown: {},
    hypotheses: givenUnshown,
    checks: onFile(
      ['group'],
      [
        containerNotNegative,
        { ...noContainerYet, ...beforeDmaOwner },
        {
          name: 'container-descriptor-open',
          asks: 'descriptor',
          holds: ({ argument }) => argument !== undefined,
          errno: 'EBADF',
          cause: 'bad-descriptor',
          source: SET_CONTAINER,
        },
        { ...noContainerYet, ...sinceDmaOwner },
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
    ...shown,
    concerns: askUnsetContainer,
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
  ...getDeviceOperations,
};
