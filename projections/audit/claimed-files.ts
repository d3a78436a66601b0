/**
 * The files that are claimed to be open, and which of them keep others alive.
 *
 * @module
 */
import { positionOf, type FileId } from '../../processes/process-table.ts';
import type { ClaimedFile } from './claimed.ts';
import { Multimap } from '../multimap.ts';

/** All questions and changes take as long with many files as with few. */
export class ClaimedFiles {
  readonly #all = new Map<FileId, ClaimedFile>();
  readonly #ofGroup = new Multimap<string, ClaimedFile>();
  readonly #ofDevice = new Multimap<string, ClaimedFile>();
  readonly #keepersOf = new Multimap<string, ClaimedFile>();
  /** Files that have lost a holder or a keeper since the last release. */
  readonly #loosened = new Set<FileId>();

  /** In the order of their opening. */
  get all(): ReadonlyMap<FileId, ClaimedFile> {
    return this.#all;
  }

  hasGroup(group: string): boolean {
    return this.#ofGroup.has(group);
  }

  hasDevice(address: string): boolean {
    return this.#ofDevice.has(address);
  }

  /** The files of a group and of its devices, in the order of their opening. */
  ofGroup(group: string): ClaimedFile[] {
    return this.#ofGroup.of(group);
  }

  /** The files of a device, in the order of their opening. */
  ofDevice(address: string): ClaimedFile[] {
    return this.#ofDevice.of(address);
  }

  add(file: ClaimedFile): void {
    this.#all.set(file.id, file);
    this.#ofGroup.add(file.group, file);
    this.#ofDevice.add(file.device, file);
    for (const kept of file.keeps) this.#keepersOf.add(kept, file);
  }

  /** Makes a file keep another one alive. */
  keep(file: ClaimedFile, kept: FileId): void {
    file.keeps.add(kept);
    this.#keepersOf.add(kept, file);
  }

  /** Makes a file keep nothing alive. */
  letGo(file: ClaimedFile): void {
    for (const kept of file.keeps) {
      this.#keepersOf.delete(kept, file);
      this.#loosened.add(kept);
    }
    file.keeps.clear();
  }

  /** Notes that a file has lost a descriptor or a mapping. */
  loosen(id: FileId): void {
    this.#loosened.add(id);
  }

  /**
   * Removes the loosened files that neither a process nor another file keeps, and then the files that
   * these alone kept. `isHeld` is asked of a file that no other file keeps. Returns what was removed.
   */
  release(isHeld: (id: FileId) => boolean): ClaimedFile[] {
    const released: ClaimedFile[] = [];
    while (this.#loosened.size > 0) {
      const gone = [...this.#loosened]
        .filter((id) => !this.#keepersOf.has(id) && !isHeld(id))
        .flatMap((id) => this.#all.get(id) ?? [])
        .toSorted((a, b) => positionOf(a.id) - positionOf(b.id));
      this.#loosened.clear();
      for (const file of gone) this.#remove(file);
      released.push(...gone);
    }
    return released;
  }

  clear(): void {
    for (const index of [this.#ofGroup, this.#ofDevice, this.#keepersOf]) index.clear();
    this.#loosened.clear();
    this.#all.clear();
  }

  #remove(file: ClaimedFile): void {
    this.#all.delete(file.id);
    this.#ofGroup.delete(file.group, file);
    this.#ofDevice.delete(file.device, file);
    this.letGo(file);
  }
}
