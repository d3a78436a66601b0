/**
 * The open files of a host, by id; whether a group has any; and the iommufds that have noted the
 * address space of a process.
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import { groupBehind, type Group, type OpenFile } from './instances.ts';
import { mappersOf } from './iommufd.ts';

export class OpenFiles {
  readonly #files = new Map<FileId, OpenFile>();
  /** Number of open files of each group and of its devices. */
  readonly #counts = new Map<Group, number>();

  /** By pid: the iommufds that have noted the address space of the process. */
  readonly #mapped = new Map<number, Set<FileId>>();

  get(id: FileId): OpenFile | undefined {
    return this.#files.get(id);
  }

  values(): IterableIterator<OpenFile> {
    return this.#files.values();
  }

  /** Whether a file of the group or of one of its devices is open. */
  hasAnyOf(group: Group): boolean {
    return (this.#counts.get(group) ?? 0) > 0;
  }

  add(file: OpenFile): void {
    this.remove(file.id);
    this.#files.set(file.id, file);
    this.#count(file, 1);
    if (file.kind !== 'iommufd') return;
    for (const pid of mappersOf(file.record)) this.noteMapper(pid, file.id);
  }

  remove(id: FileId): void {
    const file = this.#files.get(id);
    if (file === undefined) return;
    this.#files.delete(id);
    this.#count(file, -1);
    if (file.kind !== 'iommufd') return;
    for (const pid of mappersOf(file.record)) this.#mapped.get(pid)?.delete(id);
  }

  /** Notes that an iommufd has noted the address space of a process. */
  noteMapper(pid: number, iommufd: FileId): void {
    const known = this.#mapped.get(pid);
    if (known === undefined) this.#mapped.set(pid, new Set([iommufd]));
    else known.add(iommufd);
  }

  /** The iommufds that have noted the address space of a process. */
  mappedBy(pid: number): FileId[] {
    return [...(this.#mapped.get(pid) ?? [])];
  }

  /** Forgets the address space of a process: it is gone. */
  forgetMapper(pid: number): void {
    this.#mapped.delete(pid);
  }

  clear(): void {
    this.#files.clear();
    this.#counts.clear();
    this.#mapped.clear();
  }

  #count(file: OpenFile, more: number): void {
    const group = groupBehind(file);
    if (group !== null) this.#counts.set(group, (this.#counts.get(group) ?? 0) + more);
  }
}
