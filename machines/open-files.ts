/**
 * The open files of a host by id, and how many each group has: files of it and of its devices.
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import type { Group, OpenFile } from './instances.ts';

export class OpenFiles {
  readonly #files = new Map<FileId, OpenFile>();
  readonly #counts = new Map<Group, number>();

  get(id: FileId): OpenFile | undefined {
    return this.#files.get(id);
  }

  values(): IterableIterator<OpenFile> {
    return this.#files.values();
  }

  add(file: OpenFile): void {
    this.delete(file.id);
    this.#files.set(file.id, file);
    this.#count(file, 1);
  }

  delete(id: FileId): void {
    const file = this.#files.get(id);
    if (file === undefined) return;
    this.#files.delete(id);
    this.#count(file, -1);
  }

  clear(): void {
    this.#files.clear();
    this.#counts.clear();
  }

  hasAnyOf(group: Group): boolean {
    return this.#counts.has(group);
  }

  #count(file: OpenFile, change: 1 | -1): void {
    const group = groupOf(file);
    if (group === null) return;
    const count = (this.#counts.get(group) ?? 0) + change;
    if (count === 0) this.#counts.delete(group);
    else this.#counts.set(group, count);
  }
}

function groupOf(file: OpenFile): Group | null {
  if (file.kind === 'group') return file.group;
  return file.kind === 'device' ? file.device.group : null;
}
