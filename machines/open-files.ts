/**
 * The open files of a host, by id, and whether a group has any.
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import { groupBehind, type Group, type OpenFile } from './instances.ts';

export class OpenFiles {
  readonly #files = new Map<FileId, OpenFile>();
  /** Number of open files of each group and of its devices. */
  readonly #counts = new Map<Group, number>();

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
  }

  remove(id: FileId): void {
    const file = this.#files.get(id);
    if (file === undefined) return;
    this.#files.delete(id);
    this.#count(file, -1);
  }

  clear(): void {
    this.#files.clear();
    this.#counts.clear();
  }

  #count(file: OpenFile, more: number): void {
    const group = groupBehind(file);
    if (group !== null) this.#counts.set(group, (this.#counts.get(group) ?? 0) + more);
  }
}
