/**
 * The rules of resets: of one device, and of all devices that a bus reset hits.
 *
 * @module
 */
import type { CallOf } from '../../events/vocabulary.ts';
import { anyDeviceFile, leavingOnBus } from '../blockers.ts';
import type { Check, OperationTable, PlainCheck, Question } from '../check.ts';
import { ofItsFile, withDevice } from '../concerns.ts';
import { busOfDevice, busResetWorks, canReset, hasBusReset } from '../device-model.ts';
import { kindOfDriver } from '../../operations/driver.ts';
import { givenGroupsInUse } from './before-dma-owner.ts';
import { compatIoasThere, onFile } from './descriptor.ts';
import { shown } from './shown.ts';

const HOT_RESET = 'vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_pci_hot_reset';

const deviceLockFree: Check = {
  name: 'device-lock-free',
  asks: 'device',
  in: ['leaving'],
  errno: 'EAGAIN',
  cause: 'device-leaving',
  source: 'pci/pci.c:pci_try_reset_function',
  blocker: anyDeviceFile,
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

const groupsGiven = ({ call }: Question<CallOf<'hot_reset'>>): readonly number[] => call.groups;

const isBoundFile = ({ file }: Question): boolean =>
  file?.kind === 'device' && file.state === 'bound';

/** Whether every device that a bus reset hits is on a VFIO driver. */
function allOnVfio({ device }: Question): boolean {
  return (
    device !== undefined &&
    busOfDevice(device).every(({ driver }) => driver !== null && kindOfDriver(driver) === 'vfio')
  );
}

/** Whether the caller has proved to own every device that the reset hits. */
function allOwned(question: Question): boolean {
  const { device, givenGroups = [] } = question;
  if (device === undefined) return false;
  return busOfDevice(device).every(({ group }) =>
    isBoundFile(question)
      ? group?.state === 'iommufd' && group.record.owner === device.record.iommufd
      : givenGroups.some(
          // A dead file proves nothing about the group's new incarnation.
          (file) => file?.kind === 'group' && file.state !== 'dead' && file.group === group,
        ),
  );
}

const hotReset: readonly Check<CallOf<'hot_reset'>>[] = [
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
    since: 'linux-6.12',
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
        groupsGiven(question).length <=
          (question.device ? busOfDevice(question.device).length : 0)),
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
  givenGroupsInUse,
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
  {
    name: 'device-locks-free',
    asks: 'host',
    holds: ({ device }) =>
      device !== undefined && busOfDevice(device).every(({ state }) => state !== 'leaving'),
    errno: 'EAGAIN',
    cause: 'device-leaving',
    source: 'pci/pci.c:pci_reset_bus',
    blocker: leavingOnBus,
  },
  {
    name: 'bus-reset-works',
    asks: 'host',
    holds: ({ device }) => device !== undefined && busResetWorks(device),
    unseen: true,
    explains: ({ device }) => device !== undefined && device.port !== null,
    errno: 'ENOTTY',
    cause: 'not-ownership',
    source: 'pci/pci.c:pci_bridge_secondary_bus_reset',
  },
];

export const resetOperations: OperationTable<'reset' | 'hot_reset_info' | 'hot_reset'> = {
  reset: {
    ...shown,
    concerns: (base) => {
      const question = ofItsFile(base);
      if (question.deviceFile === undefined) return question;
      return { ...question, events: { device: { type: 'device.reset' } } };
    },
    checks: reset,
  },
  hot_reset_info: {
    ...shown,
    concerns: ofItsFile,
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
      // On a container, the same number is VFIO_IOMMU_GET_INFO.
      compatIoasThere('iommu/iommufd/vfio_compat.c:iommufd_vfio_iommu_get_info'),
      {
        ...busResettable,
        holds: (question) => question.file?.kind !== 'device' || busResettable.holds(question),
      },
    ],
  },
  hot_reset: {
    concerns: (base, host, given) => {
      const { pid, groups } = base.call;
      const givenGroups = given.groups ?? groups.map((fd) => host.behind(pid, fd));
      return { ...withDevice(base), givenGroups };
    },
    checks: hotReset,
    isBeyondJudging: ({ attempt, question }) =>
      attempt.groups === null || question.file?.isFound === true,
    unshown: { groups: [] },
    hypotheses: null,
  },
};
