/**
 * The rules of attaching a device to a page table, and of detaching it.
 *
 * @module
 */
import type { CallOf } from '../../events/vocabulary.ts';
import { ownContext } from '../blockers.ts';
import type { Check, OperationTable, Question } from '../check.ts';
import {
  contextOf,
  ofItsFile,
  pageTableShown,
  withDevice,
  type Directory,
  type Given,
} from '../concerns.ts';
import { autoPageTable, lowestFreeId } from '../iommufd.ts';
import type { Attachment } from '../page-tables.ts';
import { NAMELESS, UNSHOWN } from '../unshown.ts';
import { samePageTable } from './claims.ts';
import { onFile, sinceCdevs } from './descriptor.ts';
import { mappersThere } from './mapper.ts';
import {
  asksForZero,
  fromPasid,
  isAttachedAsZero,
  isPasidUnshown,
  pasidChecks,
  pasidInRange,
  pasidOf,
  toPasid,
} from './pasid.ts';
import { flagsKnown, hasFlag, longEnough, shape } from './shape.ts';
import { shown } from './shown.ts';

const ATTACH = 'vfio/device_cdev.c:vfio_df_ioctl_attach_pt';
const DETACH = 'vfio/device_cdev.c:vfio_df_ioctl_detach_pt';
/** As proposed in 2021. */
const proposed = { since: 'rfc-2021' } as const;
const ATTACH_2021 = 'vfio/pci/vfio_pci.c:vfio_pci_ioctl (RFC 15/20)';

/** What attach and detach share; a PASID follows `least` bytes of their structures. */
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
  ...sinceCdevs([longEnough(least, source), flagsKnown(source)]),
  {
    name: 'pasid-in-argument',
    asks: 'call',
    since: 'linux-7.3',
    holds: (question) => !hasFlag(question) || (shape(question).argsz ?? least) >= least + 4,
    errno: 'EINVAL',
    cause: 'malformed-argument',
    source,
  },
];

const attach: readonly Check<CallOf<'attach'>>[] = [
  ...onBoundFile(12, ATTACH),
  {
    ...proposed,
    name: 'device-not-attached',
    asks: 'device',
    guard: 'notAttached',
    errno: 'EBUSY',
    cause: 'already-attached',
    source: ATTACH_2021,
    blocker: ownContext,
  },
  pasidInRange,
  ...sinceCdevs<CallOf<'attach'>>([
    {
      name: 'page-table-exists',
      asks: 'call',
      holds: ({ call, iommufd }) => iommufd?.record.objects.has(call.pt) === true,
      errno: 'ENOENT',
      cause: 'no-such-object',
      source: 'iommu/iommufd/device.c:iommufd_device_change_pt',
    },
    {
      name: 'object-is-a-page-table',
      asks: 'call',
      holds: ({ call, iommufd }) => iommufd?.record.objects.get(call.pt)?.kind !== 'device',
      errno: 'EINVAL',
      cause: 'malformed-argument',
      source: 'iommu/iommufd/device.c:iommufd_device_change_pt',
    },
    ...pasidChecks,
    samePageTable,
    mappersThere,
  ]),
];

function askAttach(base: Question<CallOf<'attach'>>, _host: Directory, given: Given): Question {
  const question = withDevice(base);
  const { deviceFile, device, group, call } = question;
  if (deviceFile === undefined || device === undefined) return question;
  const iommufd = contextOf(question.host, device);
  const type = 'device.attached';
  const pasid = pasidOf(call);
  if (pasid !== null && pasid !== 0) return toPasid({ ...question, iommufd }, call.pt, pasid);
  if (iommufd === undefined) return inUnknownContext(question, type);
  const pt = call.pt === UNSHOWN ? pageTableShown(iommufd.record, group) : call.pt;
  const target = iommufd.record.objects.get(pt);
  const manual = target?.kind === 'hwpt';
  const hwpt =
    given.hwpt ??
    (manual ? pt : (autoPageTable(iommufd.record, pt) ?? lowestFreeId(iommufd.record)));
  // A replace moves the attached siblings as well (iommufd/device.c:iommufd_device_do_replace).
  const replaces = device.record.attached;
  const attachment: Attachment = {
    hwpt,
    ioas: manual ? target.ioas : pt,
    auto: !manual,
    users: replaces ? (group?.record.attached ?? 1) : 1,
    from: replaces ? (group?.record.hwpt ?? null) : null,
  };
  return {
    ...question,
    iommufd,
    events: {
      device: { type },
      group: { type, hwpt, replaces },
      deviceFile: { type },
      iommufd: { type, attachment, ...asksForZero(question) },
    },
  };
}

/** An attach or detach of a device whose iommufd was not recorded. */
function inUnknownContext(
  question: Question,
  type: 'device.attached' | 'device.detached',
): Question {
  const { device, group } = question;
  if (device?.record.iommufd !== NAMELESS) return question;
  const { attached } = device.record;
  const of = { hwpt: group?.record.hwpt ?? UNSHOWN, replaces: attached };
  const told =
    type === 'device.attached' ? ({ type, ...of } as const) : ({ type, attached } as const);
  return { ...question, events: { device: { type }, group: told, deviceFile: { type } } };
}

/**
 * Whether the page tables of the device lie in an iommufd that was not recorded. A file that is not
 * bound is refused whatever lies there.
 */
const isInUnseenContext = ({
  question: { device, deviceFile },
}: {
  readonly question: Question;
}): boolean =>
  device?.record.iommufd === NAMELESS && (deviceFile === undefined || deviceFile.state === 'bound');

/** Whether the evidence shows too little: the iommufd of the device, or the PASID of the call. */
const isHidden = (asked: { readonly question: Question }): boolean =>
  isInUnseenContext(asked) || isPasidUnshown(asked.question);

function askDetach(base: Question<CallOf<'detach'>>): Question {
  const question = ofItsFile(base);
  const { deviceFile } = question;
  if (deviceFile === undefined) return question;
  const { device } = deviceFile;
  const iommufd = contextOf(question.host, device);
  const type = 'device.detached';
  const pasid = pasidOf(base.call);
  if (pasid !== null && pasid !== 0) return fromPasid({ ...question, iommufd }, pasid);
  if (iommufd === undefined) return inUnknownContext(question, type);
  const { attached } = device.record;
  // An attach with PASID 0 and one without a PASID are told apart (vfio/iommufd.c).
  if (attached && isAttachedAsZero(iommufd.record, device) !== (pasid === 0)) {
    return { ...question, iommufd, events: { deviceFile: { type } } };
  }
  const hwpt = attached ? (device.group?.record.hwpt ?? null) : null;
  return {
    ...question,
    iommufd,
    events: {
      device: { type },
      group: { type, attached },
      deviceFile: { type },
      iommufd: { type, hwpt, ...asksForZero(question) },
    },
  };
}

export const attachOperations: OperationTable<'attach' | 'detach'> = {
  attach: {
    since: 'linux-6.12',
    concerns: askAttach,
    checks: attach,
    isBeyondJudging: isHidden,
    unshown: {},
    hypotheses: ({ call, own, host, ask }) => {
      const context = own.device && contextOf(host, own.device);
      const ids = [...(context?.record.objects.keys() ?? []), UNSHOWN];
      return ids.map((pt) => ask({ ...call, pt }));
    },
  },
  detach: {
    since: 'linux-6.12',
    ...shown,
    isBeyondJudging: isHidden,
    concerns: askDetach,
    checks: onBoundFile(8, DETACH),
  },
};
