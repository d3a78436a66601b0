/**
 * What an attach and a detach concern: the page table that a device moves onto, or leaves.
 *
 * @module
 */
import type { CallOf } from '../events/vocabulary.ts';
import type { HostView, Question } from './check.ts';
import type { Device, DeviceFile, Group, IommufdFile } from './host.ts';
import { autoPageTable, lowestFreeId, type Attachment, type IommufdRecord } from './iommufd.ts';
import type { Outcome } from './question.ts';
import { NAMELESS, UNSHOWN } from './unshown.ts';

/** The context that a device is bound to. */
export function contextOf(host: HostView, device: Device): IommufdFile | undefined {
  const file = device.record.iommufd === null ? undefined : host.file(device.record.iommufd);
  return file?.kind === 'iommufd' ? file : undefined;
}

/** `question` has the device looked up. */
export function askAttach(
  question: Question & { call: CallOf<'attach'> },
  outcome: Outcome,
): Question {
  const { deviceFile, device, group, call } = question;
  const iommufd = device && contextOf(question.host, device);
  if (deviceFile === undefined || device === undefined) return question;
  const type = 'device.attached';
  if (iommufd === undefined) return askInUnknownContext(question, type);
  const pt = call.pt === UNSHOWN ? pageTableShown(iommufd.record, group) : call.pt;
  const target = iommufd.record.objects.get(pt);
  const manual = target?.kind === 'hwpt';
  const hwpt =
    outcome.hwpt ??
    (manual ? pt : (autoPageTable(iommufd.record, pt) ?? lowestFreeId(iommufd.record)));
  // An attached device takes its attached siblings along (iommufd/device.c:iommufd_device_do_replace).
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
      iommufd: { type, attachment },
    },
  };
}

/**
 * What the evidence does not show of an attach: the page table that the group has, which no attach but
 * to the same one passes, or the only IOAS that there is.
 */
export function pageTableShown({ objects }: IommufdRecord, group: Group | undefined): number {
  if (group?.record.hwpt != null) return group.record.hwpt;
  const spaces = [...objects].filter(([, { kind }]) => kind === 'ioas').map(([id]) => id);
  return spaces.length === 1 ? (spaces[0] ?? UNSHOWN) : UNSHOWN;
}

/** What an attach or a detach is where nobody has seen which context the device is bound to. */
function askInUnknownContext(
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

export function askDetach(question: Question, deviceFile: DeviceFile): Question {
  const { device } = deviceFile;
  const iommufd = contextOf(question.host, device);
  const type = 'device.detached';
  if (iommufd === undefined) return askInUnknownContext(question, type);
  const { attached } = device.record;
  const hwpt = attached ? (device.group?.record.hwpt ?? null) : null;
  return {
    ...question,
    iommufd,
    events: {
      device: { type },
      group: { type, attached },
      deviceFile: { type },
      iommufd: { type, hwpt },
    },
  };
}
