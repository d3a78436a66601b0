/**
 * Past holders: the processes that ever had a descriptor of a file. What still refers to the file in
 * the kernel may be theirs.
 *
 * @module
 */
import { KERNEL_PID, positionOf, type FileId } from '../../processes/process-table.ts';
import type { HandIn } from '../group-hands.ts';
import type { Timeline } from '../timeline.ts';
import { holderShown } from '../views.ts';
import type { TenantMember } from './tenants.ts';

/** A process, and the position from which it has held a descriptor of a file at some time. */
export interface PastHolder extends TenantMember {
  readonly since: number;
}

/**
 * The past holders of the files of some hands, by the position from which they had a descriptor; those
 * that had one only after the last of the hands may be missing. Processes that had the pid of another
 * one before or after it are holders of their own.
 */
export function pastHoldersOf(
  timeline: Timeline,
  hands: Iterable<Pick<HandIn, 'of' | 'to'>>,
): ReadonlyMap<FileId, readonly PastHolder[]> {
  const ends = new Map<FileId, number>();
  for (const { of, to } of hands) ends.set(of, Math.max(ends.get(of) ?? 0, to ?? Infinity));
  const sought = [...ends]
    .map(([file, end]) => ({ file, end, opened: positionOf(file), holders: [] as PastHolder[] }))
    .toSorted((a, b) => a.opened - b.opened);
  const [first] = sought;
  let left = sought;
  for (const segment of first === undefined ? [] : timeline.hands.from(first.opened)) {
    for (const { file, opened, holders } of left) {
      if (opened > segment.last) break;
      for (const { span, since } of segment.newUsersOf(opened)) {
        const { pid, comm, cgroup, vm } = segment.nameOf(span);
        if (pid === KERNEL_PID) continue;
        const holder = holderShown({ pid, comm, cgroup, via: 'fd', fd: null, file });
        holders.push({ ...holder, vm: holder.pid === null ? null : vm, since });
      }
    }
    left = left.filter(({ end }) => end > segment.last + 1);
    if (left.length === 0) break;
  }
  for (const { holders } of sought) holders.sort((a, b) => a.since - b.since);
  return new Map(sought.map(({ file, holders }) => [file, holders]));
}
