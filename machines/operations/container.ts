/**
 * The rules of a container, or of an iommufd that serves as one.
 *
 * @module
 */
import type { CallOf } from '../../events/vocabulary.ts';
import { ownContainer } from '../blockers.ts';
import type { OperationTable, Question } from '../check.ts';
import { ofItsFile } from '../concerns.ts';
import { isSince, type Profile } from '../profile.ts';
import { SOME_RANGE, UNSHOWN } from '../unshown.ts';
import { sinceDmaOwner } from './before-dma-owner.ts';
import { compatIoasThere, onFile } from './descriptor.ts';
import { noted, ofFoundIommufd } from './mapper.ts';
import { shown } from './shown.ts';

/** VFIO_TYPE1_IOMMU and VFIO_TYPE1v2_IOMMU. */
const type1 = [1, 3];

/** Extensions that type1 supports, so that the kernel tries it, but refuses as IOMMU types. */
const answered = (profile: Profile): readonly number[] =>
  isSince(profile, 'linux-7.3') ? [9] : [6, 9];

const asksFor = ({ call }: Question<CallOf<'set_iommu'>>): number => call.iommu;

/** Whether type1 accepts a mapping's start and size (vfio/vfio_iommu_type1.c:vfio_dma_do_map). */
function isPageAligned({ call, file }: Question<CallOf<'map_dma'>>): boolean {
  if (call.size === 0) return false;
  return file?.kind !== 'container' || (call.iova % 4096 === 0 && call.size % 4096 === 0);
}

export const containerOperations: OperationTable<
  'api_version' | 'check_extension' | 'set_iommu' | 'map_dma'
> = {
  api_version: { ...shown, concerns: ofItsFile, checks: onFile(['container', 'iommufd']) },
  check_extension: { ...shown, concerns: ofItsFile, checks: onFile(['container', 'iommufd']) },
  set_iommu: {
    concerns: (base) => {
      const question = ofItsFile(base);
      if (question.container === undefined) return question;
      return { ...question, events: { container: { type: 'iommu.set' } } };
    },
    isBeyondJudging: null,
    unshown: {},
    hypotheses: ({ call, ask }) => [1, 3, UNSHOWN].map((iommu) => ask({ ...call, iommu })),
    checks: onFile(
      ['container', 'iommufd'],
      [
        {
          name: 'container-has-a-group',
          asks: 'container',
          in: ['empty'],
          errno: 'EINVAL',
          cause: 'container-empty',
          source: 'vfio/container.c:vfio_ioctl_set_iommu',
        },
        {
          name: 'iommu-not-set-yet',
          asks: 'container',
          in: ['ready'],
          errno: 'EINVAL',
          cause: 'iommu-already-set',
          source: 'vfio/container.c:vfio_ioctl_set_iommu',
          blocker: ownContainer,
        },
        {
          ...sinceDmaOwner,
          name: 'iommu-type-opens',
          asks: 'call',
          holds: (question) =>
            type1.includes(asksFor(question)) ||
            (question.file?.kind === 'container' &&
              !answered(question.host.profile).includes(asksFor(question))),
          errno: 'EINVAL',
          cause: 'malformed-argument',
          source: 'vfio/vfio_iommu_type1.c:vfio_iommu_type1_open',
        },
        {
          name: 'iommu-type-supported',
          asks: 'call',
          holds: (question) => type1.includes(asksFor(question)),
          errno: 'ENODEV',
          cause: 'unsupported',
          source: 'vfio/container.c:vfio_ioctl_set_iommu',
        },
        compatIoasThere('iommu/iommufd/vfio_compat.c:iommufd_vfio_set_iommu'),
      ],
    ),
  },
  map_dma: {
    concerns: (base) => {
      const question = ofItsFile(base);
      const record = question.iommufd?.record;
      const told = record === undefined ? null : noted(record, record.compatIoas, base.call.pid);
      return told === null ? question : { ...question, events: { iommufd: told } };
    },
    isBeyondJudging: ofFoundIommufd,
    unshown: SOME_RANGE,
    hypotheses: null,
    checks: [
      ...onFile(['container', 'iommufd', 'device']),
      {
        name: 'iommu-set',
        asks: 'container',
        in: ['empty', 'joined'],
        errno: 'EINVAL',
        cause: 'no-iommu-driver',
        source: 'vfio/container.c:vfio_fops_unl_ioctl',
      },
      {
        name: 'not-read-as-a-hot-reset',
        asks: 'descriptor',
        // On a device, the number of MAP_DMA is HOT_RESET, which does not know these flags.
        holds: ({ file }) => file?.kind !== 'device',
        errno: 'EINVAL',
        cause: 'wrong-file-kind',
        source: 'vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_pci_hot_reset',
      },
      compatIoasThere('iommu/iommufd/vfio_compat.c:iommufd_vfio_map_dma'),
      {
        name: 'range-aligned',
        asks: 'call',
        holds: isPageAligned,
        errno: 'EINVAL',
        cause: 'malformed-argument',
        source: 'vfio/vfio_iommu_type1.c:vfio_dma_do_map',
      },
      {
        name: 'range-free',
        asks: 'host',
        holds: ({ host, file, call }) => file === undefined || host.isFree(file, null, call),
        unseen: true,
        errno: 'EEXIST',
        cause: 'not-ownership',
        source: 'vfio/vfio_iommu_type1.c:vfio_dma_do_map',
      },
    ],
  },
};
