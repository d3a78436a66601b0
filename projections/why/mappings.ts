/**
 * Mappings that decide nothing, because descriptors hold the same files.
 *
 * A mapping only holds its file: no call names it. Without one that was made, its file is released
 * earlier only if, at some time, nothing but mappings held it. Without the removal of one, its file
 * is released later only if it was released at all.
 *
 * @module
 */
import type { FileId, HoldPlace, ProcessObserver } from '../../processes/process-table.ts';

/** What of processes holds a file. */
interface Holds {
  descriptors: number;
  mappings: number;
  /** The last event after which only mappings hold the file; -1 if there is none. */
  onlyMapped: number;
  /** The last event after which no process holds the file; -1 if there is none. */
  unheld: number;
}

/** Watches the process table while it takes events, which are numbered in their order. */
export class Mappings implements ProcessObserver {
  readonly #files = new Map<FileId, Holds>();
  readonly #made = new Map<number, FileId[]>();
  readonly #removed = new Map<number, FileId[]>();
  /** What the event has changed. */
  readonly #touched = new Set<Holds>();
  #event = -1;

  /** To be called before each event. */
  begin(event: number): void {
    this.#event = event;
    this.#touched.clear();
  }

  /** To be called after each event. */
  end(): void {
    for (const holds of this.#touched) {
      if (holds.descriptors > 0) continue;
      if (holds.mappings > 0) holds.onlyMapped = this.#event;
      else holds.unheld = this.#event;
    }
  }

  /**
   * Whether every file is released at the same event without the mappings that an event made, and
   * with those that it removed. To be asked after the last event.
   */
  isIdle(event: number): boolean {
    const isBefore = (last: number | undefined): boolean => last !== undefined && last < event;
    return (
      (this.#made.get(event) ?? []).every((id) => isBefore(this.#files.get(id)?.onlyMapped)) &&
      (this.#removed.get(event) ?? []).every((id) => isBefore(this.#files.get(id)?.unheld))
    );
  }

  held(file: FileId, { via }: HoldPlace): void {
    const holds = this.#holdsOf(file);
    if (via === 'fd') holds.descriptors++;
    else {
      holds.mappings++;
      note(this.#made, this.#event, file);
    }
  }

  dropped(file: FileId, { via }: HoldPlace): void {
    const holds = this.#holdsOf(file);
    if (via === 'fd') holds.descriptors--;
    else {
      holds.mappings--;
      note(this.#removed, this.#event, file);
    }
  }

  started(): void {}

  renamed(): void {}

  ended(): void {}

  #holdsOf(file: FileId): Holds {
    const known = this.#files.get(file);
    const holds = known ?? { descriptors: 0, mappings: 0, onlyMapped: -1, unheld: -1 };
    if (known === undefined) this.#files.set(file, holds);
    this.#touched.add(holds);
    return holds;
  }
}

function note(files: Map<number, FileId[]>, event: number, file: FileId): void {
  const known = files.get(event);
  if (known === undefined) files.set(event, [file]);
  else known.push(file);
}
