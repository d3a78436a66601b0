/**
 * Holdings: the VFIO files that processes hold. Orphans: open files that no process has a
 * descriptor or mapping of.
 *
 * @module
 */
import type { FileAt, GroupAt, HostAt } from '../machines/host-at.ts';
import { UNNAMED } from '../machines/unshown.ts';
import { partiesOf } from './parties.ts';
import type { Holding, Orphan } from './shapes.ts';
import type { Subject } from './subjects.ts';
import { byNumber, byProcess, keptBy, orphans, ownerOf } from './views.ts';

/**
 * Every VFIO descriptor and mapping of the processes that hold a subject or keep its owner alive;
 * of a process itself, if the subject is a process.
 */
export function holdingsOf(host: HostAt, subject: Subject): Holding[] {
  const pids = new Set(pidsAround(host, subject));
  if (pids.size === 0) return [];
  const owned = Map.groupBy(host.groups(), (group) => ownerOf(host, group).file);
  return [...host.files()]
    .flatMap((file) => {
      if (file.kind === 'other') return [];
      const holders = host.holders(file.id).filter(({ pid }) => pids.has(pid));
      if (holders.length === 0) return [];
      const groups = [...keptBy(host, [file.id])].flatMap((kept) => owned.get(kept) ?? []);
      const { kind, group } = file;
      const device = kind === 'device' ? (file.device ?? UNNAMED) : null;
      const about = { kind, group, device, keepsOwnerOf: numbersOf(groups) };
      return holders.map((holder) => ({ ...holder, ...about }));
    })
    .toSorted(byProcess);
}

/** Open files that no process has a descriptor or mapping of, and what keeps them alive. */
export function orphansOf(host: HostAt): Orphan[] {
  return orphans(host).map((view): Orphan => {
    const file = host.file(view.file);
    const { owner, holders } = partiesOf(host, { kind: 'file', id: view.file });
    const devices = (file?.pinnedBy ?? []).flatMap((pin) => {
      const by = host.file(pin);
      return by?.kind === 'device' ? (by.device ?? UNNAMED) : [];
    });
    return {
      ...view,
      groups: numbersOf(groupsOf(host, file)),
      devices: [...new Set(devices)].toSorted(),
      owner,
      keptThrough: holders,
    };
  });
}

function pidsAround(host: HostAt, subject: Subject): number[] {
  if (subject.kind === 'process') return [Number(subject.id)];
  const { holders, owner } = partiesOf(host, subject);
  return [...holders, ...owner.holders].flatMap(({ pid }) => pid ?? []);
}

/** The group of a group's file; the groups that an iommufd owns, or that are in a container. */
function groupsOf(host: HostAt, file: FileAt | undefined): Pick<GroupAt, 'group'>[] {
  if (file === undefined || file.kind === 'other') return [];
  if (file.kind === 'group') return file.group === null ? [] : [{ group: file.group }];
  return [...host.groups()].filter(({ owner, opener }) => {
    const opened = opener === null ? undefined : host.file(opener);
    return owner === file.id || opened?.container === file.id;
  });
}

function numbersOf(groups: readonly Pick<GroupAt, 'group'>[]): string[] {
  return [...new Set(groups.map(({ group }) => group))].toSorted(byNumber);
}
