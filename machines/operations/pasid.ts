/**
 * The rules of PASIDs: address spaces of a device that are told apart by a number in its requests.
 *
 * The devices of the recorded hosts have no PASID hardware. Such a device takes every number, and no
 * IOMMU driver is asked (iommu/iommu.c:__iommu_set_group_pasid). PASID 0 stands for requests without
 * a PASID, but a detach finds it only with the flag.
 *
 * @module
 */
import type { CallOf } from '../../events/vocabulary.ts';
import { ownContext, pasidSibling } from '../blockers.ts';
import type { PlainCheck, Question } from '../check.ts';
import type { Device } from '../instances.ts';
import { canFill, type IommufdRecord } from '../iommufd.ts';
import { pasidTable } from '../page-tables.ts';
import { UNSHOWN } from '../unshown.ts';
import { hasFlag } from './shape.ts';

const COMPATIBLE = 'iommu/iommufd/device.c:iommufd_hwpt_pasid_compat';
const ATTACH_HWPT = 'iommu/iommufd/device.c:iommufd_hw_pagetable_attach';

/** The PASID that a call asks for; null without the flag for one. What is left out is 0. */
export function pasidOf(call: CallOf<'attach'> | CallOf<'detach'>): number | null {
  return ((call.flags ?? 0) & 1) === 0 ? null : (call.pasid ?? 0);
}

export const isPasidUnshown = ({ call }: Question): boolean =>
  'pasid' in call && call.pasid === UNSHOWN;

/** Whether the page table for requests without a PASID was given by an attach with PASID 0. */
export function isAttachedAsZero({ attachedAsZero }: IommufdRecord, device: Device): boolean {
  return attachedAsZero.includes(device.record.id ?? -1);
}

/** Tells the iommufd that the call has the flag for a PASID, and PASID 0. */
export function asksForZero({ call, device, deviceFile }: Question): { readonly asZero?: number } {
  const id = (device ?? deviceFile?.device)?.record.id ?? null;
  return id !== null && hasFlag({ call } as Question) ? { asZero: id } : {};
}

/** Whether the evidence shows neither the PASID nor, if so, the iommufd of the device. */
const isHidden = ({ iommufd }: Question, pasid: number): boolean =>
  iommufd === undefined || pasid === UNSHOWN;

/** An attach with a PASID of its own: the page table for other requests stays as it is. */
export function toPasid(question: Question, hwpt: number, pasid: number): Question {
  const [device, group] = [question.device?.record.id ?? null, question.group?.group];
  const deviceFile = { type: 'device.attached' } as const;
  if (device === null || group === undefined || isHidden(question, pasid)) {
    return { ...question, events: { deviceFile } };
  }
  const iommufd = { type: 'pasid.attached', group, pasid, device, hwpt } as const;
  return { ...question, events: { deviceFile, iommufd } };
}

/** A detach from a PASID; from one that the device is not attached with, it changes nothing. */
export function fromPasid(question: Question, pasid: number): Question {
  const owner = question.deviceFile?.device;
  const [device, group] = [owner?.record.id ?? null, owner?.group?.group];
  const deviceFile = { type: 'device.detached' } as const;
  if (device === null || group === undefined || isHidden(question, pasid)) {
    return { ...question, events: { deviceFile } };
  }
  const iommufd = { type: 'pasid.detached', group, pasid, device } as const;
  return { ...question, events: { deviceFile, iommufd } };
}

/** The numbers of PASIDs are kept in a set that ends at INT_MAX (lib/idr.c:ida_alloc_range). */
export const pasidInRange: PlainCheck<CallOf<'attach'>> = {
  name: 'pasid-in-range',
  asks: 'call',
  since: 'linux-7.3',
  holds: ({ call }) => (pasidOf(call) ?? 0) < 2 ** 31,
  errno: 'ENOSPC',
  cause: 'malformed-argument',
  source: 'vfio/iommufd.c:vfio_iommufd_physical_pasid_attach_ioas',
};

type Attach = Question<CallOf<'attach'>>;

/** The page table of the group for that PASID, and whether the device is attached to it. */
function tableOf({ call, iommufd, group, device }: Attach) {
  const pasid = pasidOf(call) ?? 0;
  if (iommufd === undefined || group === undefined || device === undefined) return null;
  if (pasid !== 0) {
    const table = pasidTable(iommufd.record.pasids, group.group, pasid);
    const isOwn = table?.devices.includes(device.record.id ?? -1) === true;
    return { pasid, hwpt: table?.hwpt ?? null, isOwn };
  }
  return { pasid, hwpt: group.record.hwpt, isOwn: device.record.attached };
}

const isForPasids = ({ objects }: IommufdRecord, id: number | null): boolean => {
  const object = objects.get(id ?? UNSHOWN);
  return object?.kind === 'hwpt' && object.isForPasids;
};

/**
 * Whether PASIDs and the other requests of a group go by page tables that were all made for PASIDs.
 * It is asked when the group gets a page table, and when a device replaces it by another.
 */
function isCompatible(question: Attach): boolean {
  const { call, iommufd, group } = question;
  const table = tableOf(question);
  if (table === null || iommufd === undefined || group === undefined) return true;
  const { record } = iommufd;
  if (table.hwpt === call.pt || (table.hwpt !== null && !table.isOwn)) return true;
  // A replace by an IOAS fills a page table first, and fails if it cannot.
  if (table.isOwn && record.objects.get(call.pt)?.kind === 'ioas' && !canFill(record, call.pt)) {
    return true;
  }
  if (isForPasids(record, call.pt)) {
    const { hwpt } = group.record;
    return table.pasid === 0 || hwpt === null || isForPasids(record, hwpt);
  }
  return table.pasid === 0 && record.pasids.every((one) => one.group !== group.group);
}

/** What an attach asks about PASIDs, between its arguments and the page table of its group. */
export const pasidChecks: readonly PlainCheck<CallOf<'attach'>>[] = [
  {
    name: 'not-attached-as-the-other',
    asks: 'call',
    since: 'linux-7.3',
    holds: ({ call, device, iommufd }) => {
      const pasid = pasidOf(call) ?? 0;
      if (device?.record.attached !== true || iommufd === undefined || pasid !== 0) return true;
      return isAttachedAsZero(iommufd.record, device) === (pasidOf(call) === 0);
    },
    errno: 'EBUSY',
    cause: 'already-attached',
    source: ATTACH_HWPT,
    blocker: ownContext,
  },
  {
    name: 'same-page-table-for-pasid',
    asks: 'call',
    since: 'linux-7.3',
    holds: (question) => {
      const table = tableOf(question);
      const isShared = table !== null && table.pasid !== 0 && table.hwpt !== null && !table.isOwn;
      return !isShared || table.hwpt === question.call.pt;
    },
    errno: 'EINVAL',
    cause: 'sibling-attached-elsewhere',
    source: ATTACH_HWPT,
    blocker: pasidSibling,
  },
  {
    name: 'page-tables-made-for-pasids',
    asks: 'call',
    since: 'linux-7.3',
    holds: isCompatible,
    // Evidence does not show the flags of every page table.
    avoidable: true,
    errno: 'EINVAL',
    cause: 'unsupported',
    source: COMPATIBLE,
  },
];
