/**
 * The checks of kernels without a DMA owner (before 5.19), which no later kernel makes: VFIO asks
 * every member's driver whether the group is viable, and looks a device up only after that.
 *
 * @module
 */
import type { CallOf } from '../../events/vocabulary.ts';
import { givenContainer, kernelDriver } from '../blockers.ts';
import type { Check, FatalCheck, MachineCheck, PlainCheck, Question } from '../check.ts';
import type { OpenFile } from '../instances.ts';

/** Limits a check to kernels without a DMA owner, or to those with one. */
export const beforeDmaOwner = { until: 'linux-6.1' } as const;
export const sinceDmaOwner = { since: 'linux-6.1' } as const;

const GET_DEVICE = 'vfio/vfio.c:vfio_group_get_device_fd';

/** No device of the group is on a kernel driver. */
export const viable: MachineCheck = {
  ...beforeDmaOwner,
  name: 'group-viable',
  asks: 'group',
  guard: 'viable',
  errno: 'EINVAL',
  cause: 'group-not-viable',
  source: GET_DEVICE,
  blocker: kernelDriver,
};

/** A device that has lost its last file, and whose unbind waits for the container, is off the list. */
export const deviceListed: MachineCheck = {
  ...beforeDmaOwner,
  name: 'device-staying',
  asks: 'device',
  in: ['leaving'],
  guard: 'hasFile',
  errno: 'ENODEV',
  cause: 'device-leaving',
  source: 'vfio/vfio.c:vfio_device_get_from_name',
  blocker: givenContainer,
};

/** Before it looks at the descriptor, SET_CONTAINER looks at its number. */
export const containerNotNegative: PlainCheck<CallOf<'set_container'>> = {
  ...beforeDmaOwner,
  name: 'container-descriptor-not-negative',
  asks: 'call',
  holds: ({ call }) => call.container >= 0,
  errno: 'EINVAL',
  cause: 'malformed-argument',
  source: 'vfio/vfio.c:vfio_group_fops_unl_ioctl',
};

/** A container hands mmap on to its IOMMU driver, and none takes it. */
export const containerMappable: PlainCheck = {
  ...beforeDmaOwner,
  name: 'container-mappable',
  asks: 'descriptor',
  holds: ({ file }) => file?.kind !== 'container',
  errno: 'EINVAL',
  cause: 'wrong-file-kind',
  source: 'vfio/vfio.c:vfio_fops_mmap',
};

/** A group proves ownership of its devices only with a container that has an IOMMU driver. */
export const givenGroupsInUse: PlainCheck = {
  ...beforeDmaOwner,
  name: 'given-groups-in-use',
  asks: 'host',
  holds: (question) => (question.givenGroups ?? []).every((file) => isInUse(question, file)),
  errno: 'EINVAL',
  cause: 'reset-not-owned',
  source: 'vfio/vfio.c:vfio_group_get_external_user',
};

function isInUse({ host }: Question, file: OpenFile | undefined): boolean {
  if (file?.kind !== 'group') return false;
  const { container } = file.record;
  const given = container === null ? undefined : host.file(container);
  const isReady = given?.kind === 'container' && given.state === 'ready';
  return isReady && file.group.record.unclaimed === 0;
}

/** No kernel driver is bound beside a group in use: the kernel checks that once it is (BUG_ON). */
export const boundOutsideOfUse: FatalCheck = {
  ...beforeDmaOwner,
  name: 'group-not-in-use',
  asks: 'group',
  in: ['container'],
  guard: 'noKernelDriver',
  source: 'vfio/vfio.c:vfio_iommu_group_notifier',
};

/** A probe that fails is ENODEV for who writes to `bind`, whatever the driver has said. */
export function failedProbe(
  check: PlainCheck<CallOf<'set_driver'>>,
): readonly Check<CallOf<'set_driver'>>[] {
  const source = 'base/bus.c:bind_store';
  return [
    { ...check, ...beforeDmaOwner, errno: 'ENODEV', source },
    { ...check, ...sinceDmaOwner },
  ];
}
