/**
 * Where the evidence claims two owners for one group at a time.
 *
 * The machines turn down a second owner, so they never show one; what is looked at here is what the
 * evidence says, taken at its word.
 *
 * @module
 */
import { LiveHost } from '../../machines/live-host.ts';
import { positionOf, type FileId } from '../../processes/process-table.ts';
import { Claims } from './claims.ts';
import type { Holder, Overlap, Owner } from '../shapes.ts';
import type { Subject } from '../subjects.ts';
import type { Timeline } from '../timeline.ts';
import { byNumber, byProcess, nobody } from '../views.ts';
import { eventsOf } from '../walk.ts';

/**
 * The intervals in which a group, a device's or any, has several owners, in the order in which they
 * began: contexts beside each other, or one beside kernel drivers that do DMA. Where an owner joins
 * or leaves, and two are left, the next interval begins.
 */
export function overlapsOf(timeline: Timeline, subject: Subject | null): Overlap[] {
  const [claims, host] = [new Claims(), new LiveHost()];
  const found: Overlap[] = [];
  const current = new Map<string, Overlap>();
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
  return all.toSorted((a, b) => a.from - b.from || byNumber(a.group, b.group));
}

/** Whether a group is asked about: a device's only while the device is in it. */
function isOf(subject: Subject | null, group: string, { devices }: Claims): boolean {
  if (subject === null) return true;
  return group === (subject.kind === 'group' ? subject.id : devices.get(subject.id)?.group);
}

function namesOf(owners: readonly Owner[]): string {
  return owners.map(({ kind, file }) => `${kind} ${file}`).join();
}

/** All who own a group that has several: contexts in the order of their files, then the kernel. */
function severalOf(claims: Claims, group: string): Owner[] {
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

/** Every descriptor and mapping that is claimed to keep a file alive, also through other files. */
function keepersOf({ files, processes }: Claims, file: FileId): Holder[] {
  const keeping = new Set([file]);
  // What is added meanwhile is visited as well.
  for (const kept of keeping) {
    for (const { id, keeps } of files.values()) if (keeps.has(kept)) keeping.add(id);
  }
  return [...keeping].flatMap((id) => processes.holders(id)).toSorted(byProcess);
}
