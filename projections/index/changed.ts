/**
 * What an event changed, as names: files and groups. The index lists these events for each file and
 * group, so that a reader can go from one change to the next (`projections/follow.ts`).
 *
 * @module
 */
import type { FileAt } from '../../machines/host-at.ts';
import { TERMINAL, type FileId, type Process } from '../../processes/process-table.ts';
import type { Codes } from './codes.ts';
import { FILE, type Standing } from './standing.ts';

export class Changed {
  /**
   * Files that were opened, set or closed; that gained or lost a descriptor, a mapping or a file that
   * keeps them alive; or that a process holds whose name changed.
   */
  readonly files = new Set<FileId>();
  /** Groups whose row changed, or in which a file was opened or set; or that a device left or joined. */
  readonly groups = new Set<string>();
  readonly #standing: Standing;
  readonly #codes: Codes;

  /** `standing` is the one before the event. */
  constructor(standing: Standing, codes: Codes) {
    this.#standing = standing;
    this.#codes = codes;
  }

  clear(): void {
    if (this.files.size > 0) this.files.clear();
    if (this.groups.size > 0) this.groups.clear();
  }

  /** Everything goes at a boot. */
  booted(groups: Iterable<string>): void {
    const { count } = this.#standing.files;
    for (let row = 0; row < count; row++) this.#addFileIn(row);
    for (const group of groups) this.groups.add(group);
  }

  renamed({ descriptors, mappings }: Process): void {
    for (const { file } of descriptors.values()) this.files.add(file);
    for (const file of mappings.values()) this.files.add(file);
    this.files.delete(TERMINAL);
  }

  opened({ id, group }: FileAt): void {
    this.files.add(id);
    if (group !== null) this.groups.add(group);
  }

  /** The file in a row was set: it may keep another file alive than before. */
  set(row: number, file: FileAt): void {
    this.opened(file);
    this.#addKeptBy(row);
    for (const kept of file.pins) this.files.add(kept);
  }

  /** The file in a row was closed. */
  closed(row: number): void {
    this.#addFileIn(row);
    this.#addKeptBy(row);
  }

  /** A device left a group for another one; both are cells of a device (`DEVICE.group`). */
  moved(from: number, to: number): void {
    if (from === to) return;
    for (const cell of [from, to]) {
      if (cell !== 0) this.groups.add(this.#codes.groups.at(cell - 1));
    }
  }

  #addFileIn(row: number): void {
    const opened = this.#cell(row, FILE.opened);
    if (opened !== 0) this.files.add(`f${opened - 1}`);
  }

  /** Adds the file that the one in a row kept alive before the event. */
  #addKeptBy(row: number): void {
    const kept = this.#cell(row, FILE.opened) === 0 ? 0 : this.#cell(row, FILE.pins);
    if (kept !== 0) this.#addFileIn(kept - 1);
  }

  #cell(row: number, cell: number): number {
    const { cells, width, count } = this.#standing.files;
    return row < count ? cells[row * width + cell]! : 0;
  }
}
