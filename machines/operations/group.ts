/**
 * The checks of the legacy path: a group, its container, and the devices got from it.
 *
 * @module
 */
import type { CallOf } from '../../events/vocabulary.ts';
import type { FileId } from '../../processes/process-table.ts';
import {
  anyDeviceFile,
  attachedSibling,
  containerUser,
  givenContainer,
  owner,
} from '../blockers.ts';
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
import type { GroupFile, IommufdFile } from '../host.ts';
import { autoPageTable, lowestFreeId, type Attachment } from '../iommufd.ts';
import { NAMELESS, UNNAMED, UNSHOWN, unnamedDevice } from '../unshown.ts';
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

/** A descriptor that the kernel would look up. */
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
  const native = argument?.kind !== 'iommufd' && !mayBeIommufd(base, file);
  const container = argument?.kind === 'container' ? argument : undefined;
  const iommufd = argument?.kind === 'iommufd' ? argument : undefined;
  return {
    ...base,
    argument,
    groupFile: file,
    group: file.group,
    container,
    iommufd,
    events: {
      groupFile: { type, container: argument?.id ?? NAMELESS, native },
      group: { type, file: file.id, native },
      ...(container && { container: { type } }),
      ...(iommufd && { iommufd: { type, ioas: compatIoasOf(iommufd.record) } }),
    },
  };
}

/**
 * Whether what a group was given, and the evidence does not show, may be an iommufd: it is one where a
 * container would have been refused, and claims nothing where nobody can say.
 */
export function mayBeIommufd({ call, host }: Question, { group }: GroupFile): boolean {
  if (call.operation !== 'set_container' || call.container !== UNSHOWN) return false;
  return group.state === 'iommufd' || host.hasOpen(call.pid, 'iommufd');
}

/** What a group was given may be anything; a descriptor that nobody saw opened, another file or none. */
function givenUnshown({ attempt, call, own, host, ask }: Unshown<'set_container'>): Question[] {
  const isShown = attempt.container !== null;
  if (isShown && own.argument !== undefined) return [own];
  const files = isShown ? [someFile(), undefined] : anybody(host);
  return files.map((argument) => ask({ ...call, container: SOME_FD }, { argument }));
}

function askUnsetContainer(base: Question): Question {
  const { file, host } = base;
  if (file?.kind !== 'group') return withDevice(base);
  const given = file.record.container === null ? undefined : host.file(file.record.container);
  const container = given?.kind === 'container' ? given : undefined;
  const isNative = container !== undefined || isUnseen(file);
  // A dead file's group has moved on: it does not hear of its old incarnation.
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

function deviceNamed({ call, file }: Question<CallOf<'get_device'>>, host: Directory) {
  if (call.device !== UNNAMED) return host.device(call.device);
  return file?.kind === 'group' ? unnamedDevice(file.group, host.fresh('device')) : undefined;
}

function askGetDevice(
  base: Question<CallOf<'get_device'>>,
  host: Directory,
  given: Given,
): Question {
  const { file } = base;
  if (file?.kind !== 'group') return withDevice(base);
  const type = 'device.obtained';
  const device = deviceNamed(base, host);
  const behind = host.file(contextOfGroup(file) ?? '');
  const first = device?.record.opens === 0;
  const container = behind?.kind === 'container' ? behind : undefined;
  // The first open alone claims; an open device opens again whatever its group holds by now.
  const iommufd = first && behind?.kind === 'iommufd' ? behind : undefined;
  const claim = iommufd === undefined ? null : claimOf(iommufd, given);
  const isHidden = first && behind === undefined && file.state === 'iommufd';
  const context = isHidden ? NAMELESS : (iommufd?.id ?? null);
  return {
    ...base,
    device,
    groupFile: file,
    group: file.group,
    container,
    iommufd,
    events: {
      device: { type, iommufd: context, id: claim?.id ?? null },
      group: { type, iommufd: context, hwpt: claim?.attachment.hwpt ?? null },
      groupFile: { type, pins: first && (container !== undefined || isUnseen(file)) },
      ...(claim && { iommufd: { type, ...claim } }),
    },
  };
}

/** Whether the group was put into a container that nobody has seen. */
function isUnseen({ record, state }: GroupFile): boolean {
  return record.container === NAMELESS && state !== 'iommufd';
}

/** What a group was given; of iommufds that nobody has seen, the one that has the group already. */
function contextOfGroup({ record, state, group }: GroupFile): FileId | null {
  const isHidden = record.container === NAMELESS && state === 'iommufd';
  return isHidden && group.state === 'iommufd' ? group.record.owner : record.container;
}

/** The ids that a first open through a group takes in the iommufd that serves as container. */
function claimOf(iommufd: IommufdFile, given: Given) {
  const id = given.id ?? lowestFreeId(iommufd.record);
  const ioas = iommufd.record.compatIoas ?? 0;
  const hwpt =
    given.hwpt ?? autoPageTable(iommufd.record, ioas) ?? lowestFreeId(iommufd.record, [id]);
  const attachment: Attachment = { hwpt, ioas, auto: true, users: 1, from: null };
  return { id, attachment };
}

const shown = { unshown: {}, hypotheses: null } as const;

export const groupOperations: OperationTable<
  'group_status' | 'set_container' | 'unset_container' | 'get_device'
> = {
  group_status: { ...shown, concerns: ofItsFile, checks: onFile(['group'], [live]) },
  set_container: {
    concerns: askSetContainer,
    unshown: {},
    hypotheses: givenUnshown,
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
  get_device: {
    concerns: askGetDevice,
    unshown: { device: UNNAMED },
    hypotheses: ({ call, own, ask }) => {
      const members = own.group?.devices.values() ?? [];
      const names = [...[...members].map(({ device }) => device), ''];
      return [own, ...names.map((device) => ask({ ...call, device }))];
    },
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
};
