/**
 * What processes hold besides what was asked about, and what nobody can name any more.
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import { partiesOf } from './parties.ts';
import type { Holding, Orphan } from './shapes.ts';
import type { FileAt, GroupAt, HostSnapshot } from './snapshot.ts';
import type { Subject } from './subjects.ts';
import { byNumber, byProcess, orphans, ownerOf } from './views.ts';

/**
 * Every descriptor and mapping of VFIO's files that some processes have: a process's own, else of
 * all those that hold the subject or keep its owner alive.
 */
export function holdingsOf(host: HostSnapshot, subject: Subject): Holding[] {
  const pids = new Set(pidsAround(host, subject));
  if (pids.size === 0) return [];
  const owned = Map.groupBy(host.groups(), (group) => ownerOf(host, group).file);
  return [...host.files()]
    .flatMap((file) => {
      if (file.kind === 'other') return [];
      const holders = host.processes.holders(file.id).filter(({ pid }) => pids.has(pid));
      if (holders.length === 0) return [];
      const groups = [...keptBy(host, file.id)].flatMap((kept) => owned.get(kept) ?? []);
      const about = { kind: file.kind, ...placeOf(file), keepsOwnerOf: numbersOf(groups) };
      return holders.map((holder) => ({ ...holder, ...about }));
    })
    .toSorted(byProcess);
}

/** Files that are alive although no process has a descriptor or a mapping of them. */
export function orphansOf(host: HostSnapshot): Orphan[] {
  return orphans(host).map((view): Orphan => {
    const file = host.file(view.file);
    const { owner, holders } = partiesOf(host, { kind: 'file', id: view.file });
    const devices = [...(file?.pinnedBy ?? [])].flatMap((pin) => {
      const { device } = placeOf(host.file(pin));
      return device ?? [];
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

/** A file, and all that it keeps alive in the kernel. */
export function keptBy(host: HostSnapshot, file: FileId): Set<FileId> {
  const kept = new Set([file]);
  // What is added meanwhile is visited as well.
  for (const id of kept) for (const pin of host.file(id)?.pins ?? []) kept.add(pin);
  return kept;
}

function pidsAround(host: HostSnapshot, subject: Subject): number[] {
  if (subject.kind === 'process') return [Number(subject.id)];
  const { holders, owner } = partiesOf(host, subject);
  return [...holders, ...owner.holders].flatMap(({ pid }) => pid ?? []);
}

/** The group and the device that a file was opened of. */
export function placeOf(file: FileAt | undefined): Pick<Holding, 'group' | 'device'> {
  if (file?.kind === 'group') return { group: file.group.group, device: null };
  if (file?.kind !== 'device') return { group: null, device: null };
  return { group: file.device.group?.group ?? null, device: file.device.device };
}

/** A group's file belongs to it; a context to every group that it owns, or that lies in it. */
function groupsOf(host: HostSnapshot, file: FileAt | undefined): GroupAt[] {
  if (file === undefined || file.kind === 'other') return [];
  if (file.kind === 'group') return [file.group];
  return [...host.groups()].filter(({ record: { owner, opener } }) => {
    const opened = opener === null ? undefined : host.file(opener);
    const container = opened?.kind === 'group' ? opened.record.container : null;
    return owner === file.id || container === file.id;
  });
}

function numbersOf(groups: readonly GroupAt[]): string[] {
  return [...new Set(groups.map(({ group }) => group))].toSorted(byNumber);
}
