/**
 * The rules of VFIO_GROUP_GET_DEVICE_FD: getting a device from its group.
 *
 * @module
 */
import type { CallOf } from '../../events/vocabulary.ts';
import type { FileId } from '../../processes/process-table.ts';
import type { Check, OperationTable, Question } from '../check.ts';
import { withDevice, type Directory, type Given } from '../concerns.ts';
import type { GroupFile, IommufdFile } from '../instances.ts';
import { autoPageTable, lowestFreeId } from '../iommufd.ts';
import type { Attachment } from '../page-tables.ts';
import { NAMELESS, UNNAMED, unnamedDevice } from '../unshown.ts';
import { anyDeviceFile } from '../blockers.ts';
import { beforeDmaOwner, deviceListed, sinceDmaOwner, viable } from './before-dma-owner.ts';
import { claimable, isUnseen, live, samePageTable } from './claims.ts';
import { compatIoasThere, onFile } from './descriptor.ts';
import { mappersThere } from './mapper.ts';

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
  // Only the first open claims. An open device opens again, whatever context its group has by then.
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

/** The context of a group. If it is an iommufd that was not recorded, it is the group's owner. */
function contextOfGroup({ record, state, group }: GroupFile): FileId | null {
  const isHidden = record.container === NAMELESS && state === 'iommufd';
  return isHidden && group.state === 'iommufd' ? group.record.owner : record.container;
}

/** The object ids that a first open through a group takes in the iommufd that is its container. */
function claimOf(iommufd: IommufdFile, given: Given) {
  const id = given.id ?? lowestFreeId(iommufd.record);
  const ioas = iommufd.record.compatIoas ?? 0;
  const hwpt =
    given.hwpt ?? autoPageTable(iommufd.record, ioas) ?? lowestFreeId(iommufd.record, [id]);
  const attachment: Attachment = { hwpt, ioas, auto: true, users: 1, from: null };
  return { id, attachment };
}

const BY_NAME = 'vfio/group.c:vfio_device_get_from_name';

/** The group has a VFIO device of that name. */
const named = (limits: Pick<Check, 'since' | 'until'>): readonly Check<CallOf<'get_device'>>[] => [
  {
    ...limits,
    name: 'device-in-group',
    asks: 'host',
    holds: ({ device, group }) => device !== undefined && device.group === group,
    errno: 'ENODEV',
    cause: 'no-such-device',
    source: BY_NAME,
  },
  {
    ...limits,
    name: 'device-registered',
    asks: 'device',
    in: ['absent'],
    errno: 'ENODEV',
    cause: 'no-such-device',
    source: BY_NAME,
  },
];

export const getDeviceOperations: OperationTable<'get_device'> = {
  get_device: {
    concerns: askGetDevice,
    isBeyondJudging: null,
    unshown: { device: UNNAMED },
    hypotheses: ({ call, own, ask }) => {
      const members = own.group?.devices.values() ?? [];
      const names = [...[...members].map(({ device }) => device), ''];
      return [own, ...names.map((device) => ask({ ...call, device }))];
    },
    checks: onFile(
      ['group'],
      [
        { ...live, source: BY_NAME },
        ...named(sinceDmaOwner),
        {
          name: 'device-staying',
          asks: 'device',
          since: 'linux-6.12',
          in: ['leaving'],
          errno: 'ENODEV',
          cause: 'device-leaving',
          source: BY_NAME,
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
        viable,
        ...named(beforeDmaOwner),
        deviceListed,
        ...claimable('iommu/iommu.c:iommu_device_claim_dma_owner', {
          iommufd: 'sameIommufd',
          others: 'claimsNothing',
        }),
        compatIoasThere('iommu/iommufd/vfio_compat.c:iommufd_vfio_compat_ioas_get_id'),
        samePageTable,
        mappersThere,
      ],
    ),
  },
};
