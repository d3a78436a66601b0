/**
 * A question about a host, put again as if its kernel had, or lacked, a DMA owner and groups that
 * die: the states of group and group file that differ are translated.
 *
 * What those kernels would have made of earlier calls is not followed. A group that lives on without
 * a device is taken for alive in every kernel.
 *
 * @module
 */
import { rowOf } from '../operations/table.ts';
import type { Question } from './check.ts';
import type { Group, GroupFile } from './instances.ts';
import { claimsDma, hasDmaOwner, type Profile } from './profile.ts';

/**
 * The question as it would be under another profile than the host's `own`; null if the other kernel
 * would have been in another state, which the host does not show.
 */
export function translated(question: Question, own: Profile, other: Profile): Question | null {
  if (hasDmaOwner(own) === hasDmaOwner(other)) return question;
  // How a driver change ended was decided earlier, by the rules of its own kernel.
  if (rowOf(question.call.operation).makes === 'end-of-driver-change') return null;
  const { device, groupFile, events } = question;
  const group = question.group && groupUnder(question.group, other);
  const told = events.group;
  const isBind = told?.type === 'driver.bound';
  return {
    ...question,
    ...(group && { group }),
    ...(device && device.group === question.group && group && { device: { ...device, group } }),
    ...(groupFile && { groupFile: fileUnder(groupFile, other) }),
    ...(isBind && {
      events: {
        ...events,
        group: { ...told, claims: claimsDma(other, told.kind) },
      },
    }),
  };
}

function groupUnder(group: Group, profile: Profile): Group {
  const { state, record } = group;
  if (hasDmaOwner(profile)) {
    const { unclaimed } = record;
    if (unclaimed === 0) return group;
    const claims = record.claims + unclaimed;
    const isFree = state === 'unowned';
    return {
      ...group,
      state: isFree ? 'kernel' : state,
      record: { ...record, claims, unclaimed: 0 },
    };
  }
  if (state !== 'kernel') return group;
  const { claims: unclaimed } = record;
  return { ...group, state: 'unowned', record: { ...record, claims: 0, unclaimed } };
}

function fileUnder(file: GroupFile, profile: Profile): GroupFile {
  if (hasDmaOwner(profile) || file.state !== 'dead') return file;
  return { ...file, state: 'unset' };
}
