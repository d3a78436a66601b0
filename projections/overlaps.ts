/**
 * Where the evidence claims two owners for one group at a time.
 *
 * The machines turn down a second owner, so they never show one; what is looked at here is what the
 * evidence says, taken at its word.
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import { fileOpenedBy, positionOf, ProcessTable, type FileId } from '../processes/process-table.ts';
import { Claims } from './claims.ts';
import type { Holder, Overlap, Owner } from './shapes.ts';
import type { Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';
import { byNumber, byProcess, nobody } from './views.ts';
import { eventsOf } from './walk.ts';

/**
 * The intervals in which a group, a device's or any, has several owners, in the order in which they
 * began: contexts beside each other, or one beside kernel drivers that do DMA. Where an owner joins
 * or leaves, and two are left, the next interval begins.
 */
export function overlapsOf(timeline: Timeline, subject: Subject | null): Overlap[] {
  const claimed = new ClaimedOwners();
  const found: Overlap[] = [];
  const current = new Map<string, Overlap>();
  for (const event of eventsOf(timeline)) {
    for (const group of claimed.take(event)) {
      const last = current.get(group);
      const now = isOf(subject, group, claimed.claims) ? claimed.severalOf(group) : [];
      if (namesOf(now) === namesOf(last?.owners ?? [])) continue;
      const { position, type } = event;
      if (last !== undefined) found.push({ ...last, to: position, endedBy: type });
      current.delete(group);
      if (now.length === 0) continue;
      const drivers = [...new Set(claimed.claims.kernelDriversIn(group))].toSorted();
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

/** The owners that are claimed of groups, and of which groups an event may have changed them. */
class ClaimedOwners {
  readonly claims = new Claims();
  /** Claims keep their descriptors to themselves. */
  readonly #processes = new ProcessTable();
  /** The groups of files that are there, or were before the last event. */
  readonly #groups = new Map<FileId, string>();
  /** Devices whose unbind waits: it ends by itself, with the last release. */
  readonly #leaving = new Set<string>();

  /** Takes the next event, and gives the groups whose owners may be others since. */
  take(event: Placed): Set<string> {
    const touched: (string | null | undefined)[] = [];
    const { files, devices } = this.claims;
    const device = deviceIn(event);
    const count = files.size;
    if (device !== null) touched.push(devices.get(device)?.group);
    this.claims.take(event);
    this.#processes.take(event);
    if (device !== null) touched.push(devices.get(device)?.group);

    const opened = files.get(fileOpenedBy(event) ?? '');
    if (opened !== undefined && opened.group !== null) {
      this.#groups.set(opened.id, opened.group);
      if (opened.context !== null) touched.push(opened.group);
    }
    touched.push(files.get(this.#given(event) ?? '')?.group);
    if (files.size < count + (opened === undefined ? 0 : 1)) touched.push(...this.#forget());

    if (event.type === 'driver.unbind-blocked') this.#leaving.add(event.data.device);
    for (const id of this.#leaving) {
      const left = devices.get(id);
      if (left !== undefined && left.leavesFor !== null) continue;
      this.#leaving.delete(id);
      touched.push(left?.group);
    }
    return new Set(touched.filter((group) => group != null));
  }

  /** All who own a group that has several: contexts in the order of their files, then the kernel. */
  severalOf(group: string): Owner[] {
    const files = this.claims.ownersOf(group);
    if (files.length === 0) return [];
    const hasKernel = this.claims.kernelDriversIn(group).length > 0;
    if (files.length === 1 && !hasKernel) return [];
    const inOrder = files.toSorted((a, b) => positionOf(a) - positionOf(b));
    const contexts = inOrder.map((file): Owner => {
      const kind = this.claims.files.get(file)?.kind === 'group' ? 'container' : 'iommufd';
      return { kind, file, holders: this.#keepers(file) };
    });
    return hasKernel ? [...contexts, { ...nobody, kind: 'kernel' }] : contexts;
  }

  /** The file that an event gives a context, or takes it from; it has its descriptor before and after. */
  #given({ type, data }: Placed): FileId | undefined {
    switch (type) {
      case 'device.bound':
      case 'container.set':
      case 'container.unset':
        return this.#processes.file(data.pid, data.fd);
      default:
        return undefined;
    }
  }

  /** Lets go of the files that are gone, and gives their groups. */
  #forget(): string[] {
    const gone = [...this.#groups].filter(([id]) => !this.claims.files.has(id));
    for (const [id] of gone) this.#groups.delete(id);
    return gone.map(([, group]) => group);
  }

  /** Every descriptor and mapping that is claimed to keep a file alive, also through other files. */
  #keepers(file: FileId): Holder[] {
    const keeping = new Set([file]);
    // What is added meanwhile is visited as well.
    for (const kept of keeping) {
      for (const { id, keeps } of this.claims.files.values()) if (keeps.has(kept)) keeping.add(id);
    }
    return [...keeping].flatMap((id) => this.#processes.holders(id)).toSorted(byProcess);
  }
}

function deviceIn({ data }: Placed): string | null {
  return 'device' in data && typeof data.device === 'string' ? data.device : null;
}
