/**
 * `history --overlaps`: finds where the evidence claims two owners of one group at the same time.
 *
 * It looks at `Claims`, because the machines refuse a second owner.
 *
 * @module
 */
import { LiveHost } from '../../machines/live-host.ts';
import { positionOf, type FileId } from '../../processes/process-table.ts';
import { ClaimedHost } from './claimed-host.ts';
import type { Holder, Overlap, Owner } from '../shapes.ts';
import type { Subject } from '../subjects.ts';
import { timed, type Untimed } from '../timed.ts';
import type { Timeline } from '../timeline.ts';
import { byNumber, byProcess, nobody } from '../views.ts';
import { eventsOf } from '../walk.ts';

/**
 * The intervals in which a group has several owners, by their first position: several contexts, or
 * a context and kernel drivers that do DMA. `subject` is a group, or a device for its group; null
 * is any group. A new interval begins whenever an owner joins or leaves.
 */
export function overlapsOf(timeline: Timeline, subject: Subject | null): Overlap[] {
  const [claims, host] = [new ClaimedHost(), new LiveHost()];
  const found: Untimed<Overlap>[] = [];
  const current = new Map<string, Untimed<Overlap>>();
  for (const event of eventsOf(timeline)) {
    host.take(event);
    claims.take(event, host.touched);
    for (const group of claims.touched) {
      const last = current.get(group);
      const now = isOf(subject, group, claims) ? severalOf(claims, group) : [];
      if (namesOf(now) === namesOf(last?.owners ?? [])) continue;
      const { position, type } = event;
      if (last !== undefined) found.push({ ...last, to: position, endedBy: type });
      current.delete(group);
      if (now.length === 0) continue;
      const drivers = [...new Set(claims.kernelDriversIn(group))].toSorted();
      const begun = { group, from: position, to: null, owners: now, drivers, endedBy: null };
      current.set(group, begun);
    }
  }
  const all = [...found, ...current.values()];
  return all
    .toSorted((a, b) => a.from - b.from || byNumber(a.group, b.group))
    .map((overlap) => timed(timeline, overlap));
}

/** Whether a group is asked about; the group of a device only while the device is in it. */
function isOf(subject: Subject | null, group: string, { devices }: ClaimedHost): boolean {
  if (subject === null) return true;
  return group === (subject.kind === 'group' ? subject.id : devices.get(subject.id)?.group);
}

function namesOf(owners: readonly Owner[]): string {
  return owners.map(({ kind, file }) => `${kind} ${file}`).join();
}

/**
 * The owners of a group that has several: contexts in the order of their files, then the kernel.
 */
function severalOf(claims: ClaimedHost, group: string): Owner[] {
  const files = claims.ownersOf(group);
  if (files.length === 0) return [];
  const hasKernel = claims.kernelDriversIn(group).length > 0;
  if (files.length === 1 && !hasKernel) return [];
  const inOrder = files.toSorted((a, b) => positionOf(a) - positionOf(b));
  const contexts = inOrder.map((file): Owner => {
    const kind = claims.files.get(file)?.kind === 'group' ? 'container' : 'iommufd';
    return { kind, file, holders: keepersOf(claims, file) };
  });
  return hasKernel ? [...contexts, { ...nobody, kind: 'kernel' }] : contexts;
}

/** Every claimed descriptor and mapping that keeps a file alive, also through other files. */
function keepersOf({ files, processes }: ClaimedHost, file: FileId): Holder[] {
  const keeping = new Set([file]);
  // A Set also visits the elements that are added during the loop.
  for (const kept of keeping) {
    for (const { id, keeps } of files.values()) if (keeps.has(kept)) keeping.add(id);
  }
  return [...keeping].flatMap((id) => processes.holders(id)).toSorted(byProcess);
}
