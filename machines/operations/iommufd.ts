/**
 * The rules of an iommufd's objects.
 *
 * @module
 */
import type { Call, CallOf } from '../../events/vocabulary.ts';
import { objectUser } from '../blockers.ts';
import type { OperationTable, PlainCheck, Question } from '../check.ts';
import { ofItsFile, pageTableShown } from '../concerns.ts';
import { lowestFreeId, type IommufdRecord } from '../iommufd.ts';
import type { IommufdObject } from '../page-tables.ts';
import { isSince } from '../profile.ts';
import { SOME_RANGE, UNSHOWN } from '../unshown.ts';
import { onFile, sinceCdevs } from './descriptor.ts';
import { mappersThere, noted, ofFoundIommufd } from './mapper.ts';
import { shown } from './shown.ts';

const objectOf = (question: Question, id: number): IommufdObject | undefined =>
  question.iommufd?.record.objects.get(id);

const exists = <C extends Call>(
  name: string,
  source: string,
  holds: PlainCheck<C>['holds'],
): PlainCheck<C> => ({
  name,
  asks: 'call',
  holds,
  errno: 'ENOENT',
  cause: 'no-such-object',
  source,
});

/**
 * Flags of IOMMU_HWPT_ALLOC that a host takes without hardware for them
 * (include/uapi/linux/iommufd.h: IOMMU_HWPT_FAULT_ID_VALID, IOMMU_HWPT_ALLOC_PASID).
 */
const [FAULT_QUEUE, PASID] = [4, 8];

const HWPT_ALLOC = 'iommu/iommufd/hw_pagetable.c:iommufd_hwpt_alloc';
const HWPT_PAGING_ALLOC = 'iommu/iommufd/hw_pagetable.c:iommufd_hwpt_paging_alloc';
const IOAS_MAP = 'iommu/iommufd/ioas.c:iommufd_ioas_map';
const VFIO_IOAS = 'iommu/iommufd/vfio_compat.c:iommufd_vfio_ioas';

type IommufdEvents = NonNullable<Question['events']['iommufd']>;

/** Adds the event that the iommufd takes, if the file is an iommufd and the event is known. */
function toItsIommufd(
  base: Question,
  tell: (record: IommufdRecord) => IommufdEvents | null,
): Question {
  const question = ofItsFile(base);
  if (question.iommufd === undefined) return question;
  const told = tell(question.iommufd.record);
  return told === null ? question : { ...question, events: { iommufd: told } };
}

/** The IOAS that was given; if it is not shown, the only IOAS. */
function ioasOf(shown: number, record: IommufdRecord): number {
  return shown === UNSHOWN ? pageTableShown(record, undefined) : shown;
}

/** The ids of all objects, and one that does not exist. */
const idsIn = ({ iommufd }: Question): number[] => [
  ...(iommufd?.record.objects.keys() ?? []),
  UNSHOWN,
];

export const iommufdOperations: OperationTable<
  'alloc_ioas' | 'alloc_hwpt' | 'destroy' | 'ioas_map' | 'compat_ioas'
> = {
  alloc_ioas: {
    since: 'linux-6.12',
    ...shown,
    concerns: (base, _host, { id }) =>
      toItsIommufd(base, (record) => ({ type: 'ioas.allocated', id: id ?? lowestFreeId(record) })),
    checks: onFile(['iommufd']),
  },
  alloc_hwpt: {
    since: 'linux-6.12',
    concerns: (base, _host, { id }) =>
      toItsIommufd(base, (record) => {
        const ioas = ioasOf(base.call.pt, record);
        if (ioas === UNSHOWN) return null;
        const isForPasids = ((base.call.flags ?? 0) & PASID) !== 0;
        return { type: 'hwpt.allocated', id: id ?? lowestFreeId(record), ioas, isForPasids };
      }),
    isBeyondJudging: null,
    unshown: {},
    hypotheses: ({ call, own, ask }) =>
      idsIn(own).flatMap((pt) => idsIn(own).map((device) => ask({ ...call, pt, device }))),
    checks: onFile(
      ['iommufd'],
      sinceCdevs<CallOf<'alloc_hwpt'>>([
        exists('device-exists', HWPT_ALLOC, (question) => {
          return objectOf(question, question.call.device)?.kind === 'device';
        }),
        {
          name: 'object-is-an-ioas',
          asks: 'call',
          holds: (question) => {
            const kind = objectOf(question, question.call.pt)?.kind;
            return kind === 'ioas' || kind === 'hwpt';
          },
          errno: 'EINVAL',
          cause: 'malformed-argument',
          source: HWPT_ALLOC,
        },
        {
          name: 'nesting-supported',
          asks: 'call',
          holds: (question) => objectOf(question, question.call.pt)?.kind === 'ioas',
          errno: 'EOPNOTSUPP',
          cause: 'unsupported',
          source: 'iommu/iommufd/hw_pagetable.c:iommufd_hwpt_nested_alloc',
        },
        {
          name: 'flags-supported',
          asks: 'call',
          holds: ({ call: { flags = 0 }, host }) => {
            const known = isSince(host.profile, 'linux-7.3') ? FAULT_QUEUE | PASID : 0;
            return (flags & ~known) === 0;
          },
          avoidable: true,
          errno: 'EOPNOTSUPP',
          cause: 'unsupported',
          source: HWPT_PAGING_ALLOC,
        },
        mappersThere,
        {
          // No operation makes a fault queue.
          ...exists('fault-queue-exists', HWPT_ALLOC, ({ call: { flags = 0 } }) => {
            return (flags & FAULT_QUEUE) === 0;
          }),
          avoidable: true,
        },
      ]),
    ),
  },
  destroy: {
    since: 'linux-6.12',
    concerns: (base) => {
      const { object } = base.call;
      return toItsIommufd(base, () =>
        object === UNSHOWN ? null : { type: 'object.destroyed', object },
      );
    },
    isBeyondJudging: null,
    unshown: {},
    hypotheses: ({ call, own, ask }) => idsIn(own).map((object) => ask({ ...call, object })),
    checks: onFile(
      ['iommufd'],
      sinceCdevs([
        {
          name: 'object-exists',
          asks: 'iommufd',
          guard: 'objectExists',
          errno: 'ENOENT',
          cause: 'no-such-object',
          source: 'iommu/iommufd/main.c:iommufd_object_remove',
        },
        {
          name: 'object-unused',
          asks: 'iommufd',
          guard: 'objectUnused',
          errno: 'EBUSY',
          cause: 'object-in-use',
          source: 'iommu/iommufd/main.c:iommufd_object_remove',
          blocker: objectUser,
        },
      ]),
    ),
  },
  ioas_map: {
    since: 'linux-6.12',
    concerns: (base) => {
      const { ioas, pid } = base.call;
      return toItsIommufd(base, (record) => noted(record, ioasOf(ioas, record), pid));
    },
    isBeyondJudging: ofFoundIommufd,
    unshown: SOME_RANGE,
    hypotheses: ({ attempt, call, own, ask }) => {
      if (attempt.ioas !== null) return [own];
      return idsIn(own).map((ioas) => ask({ ...call, ioas }));
    },
    checks: onFile(
      ['iommufd'],
      sinceCdevs([
        exists('ioas-exists', IOAS_MAP, (question) => {
          return objectOf(question, question.call.ioas)?.kind === 'ioas';
        }),
        {
          name: 'range-not-empty',
          asks: 'call',
          holds: ({ call }) => call.size > 0,
          errno: 'EINVAL',
          cause: 'malformed-argument',
          source: 'iommu/iommufd/io_pagetable.c:iopt_map_user_pages',
        },
        {
          name: 'range-free',
          asks: 'host',
          holds: ({ host, file, call }) => file === undefined || host.isFree(file, call.ioas, call),
          unseen: true,
          errno: 'EEXIST',
          cause: 'not-ownership',
          source: 'iommu/iommufd/io_pagetable.c:iopt_alloc_area_pages',
        },
      ]),
    ),
  },
  compat_ioas: {
    since: 'linux-6.12',
    concerns: (base) => {
      const { call } = base;
      const question = toItsIommufd(base, (record) => {
        if (call.action !== 'set') return { type: 'compat-ioas.cleared' };
        const ioas = ioasOf(call.ioas, record);
        return ioas === UNSHOWN ? null : { type: 'compat-ioas.set', ioas };
      });
      return { ...question, found: question.iommufd?.record.compatIoas ?? 0 };
    },
    isBeyondJudging: null,
    unshown: { action: 'get' },
    hypotheses: null,
    checks: onFile(
      ['iommufd'],
      sinceCdevs([
        {
          name: 'compat-ioas-there',
          asks: 'call',
          holds: ({ call, iommufd }) => call.action !== 'get' || iommufd?.state === 'compat',
          errno: 'ENODEV',
          cause: 'no-compat-ioas',
          source: VFIO_IOAS,
        },
        exists('ioas-exists', VFIO_IOAS, (question) => {
          const { call } = question;
          if (call.action !== 'set') return true;
          return objectOf(question, call.ioas)?.kind === 'ioas';
        }),
      ]),
    ),
  },
};
