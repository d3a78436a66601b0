/**
 * `ShownReleases`: the open files of which the evidence shows when the kernel releases them.
 *
 * Such a file is alive until its `file.released`, not only until its last known holder is gone: what
 * keeps it alive may be a holder that the evidence has missed. The end of a process leaves none of its
 * descriptors, missed or not. If no release follows even then, the evidence may show none at all: after
 * the end of its last holder, a file lives on only if that event says that releases are shown.
 *
 * @module
 */
import type { Fact, Placed } from '../events/vocabulary.ts';
import { effectOf } from './effects.ts';
import { fileOpenedBy, type FileId } from './process.ts';

/** An open file, the kernel address of its `struct file`, and the source that shows its release. */
export interface ShownFile {
  readonly file: FileId;
  readonly pointer: string;
  readonly source: string | null;
  /** The descriptor that was closed last, unless its number was that of another such file since. */
  readonly last?: FormerDescriptor;
}

/** A descriptor that was closed, by the pid of its process and its number. */
type FormerDescriptor = readonly [pid: number, fd: number];

const NONE: readonly FileId[] = [];

export class ShownReleases {
  readonly #byFile = new Map<FileId, ShownFile>();
  readonly #byPointer = new Map<string, ShownFile>();
  readonly #byLast = new Map<string, ShownFile>();

  /** Whether the release of a file that loses its last known holder by an event is still to be shown. */
  awaits(file: FileId, { type, data }: Fact): boolean {
    const shown = this.#byFile.get(file);
    if (shown === undefined || shown.source !== sourceOf(data)) return false;
    if (type === 'process.exited') return data.releaseShown === true;
    return effectOf(type).replaces === null;
  }

  /**
   * The files whose release is not awaited after an event: the kernel released them, another file has
   * their address, or their release may be among what the evidence has lost. A complete reading of
   * the host shows every holder that there is.
   */
  endedBy({ type, data }: Placed<Fact>): readonly FileId[] {
    if (this.#byFile.size === 0) return NONE;
    if (type === 'gap.noticed') return data.group === null ? [...this.#byFile.keys()] : NONE;
    if (type === 'snapshot.taken') return data.complete ? [...this.#byFile.keys()] : NONE;
    if (!('pointer' in data) || data.pointer === undefined) return NONE;
    const shown = this.#byPointer.get(data.pointer);
    return shown === undefined ? NONE : [shown.file];
  }

  /** Takes an event. */
  take(event: Placed<Fact>): void {
    for (const file of this.endedBy(event)) this.forget(file);
    const file = fileOpenedBy(event);
    if (file === null || !('pointer' in event.data && 'releaseShown' in event.data)) return;
    const { pointer, releaseShown } = event.data;
    if (pointer === undefined || releaseShown === undefined) return;
    this.#set({ file, pointer, source: sourceOf(event.data) });
  }

  /** Notes that a descriptor of a file was closed. */
  closed(file: FileId, last: FormerDescriptor): void {
    const shown = this.#byFile.get(file);
    if (shown === undefined) return;
    const former = this.lastAt(...last);
    if (former !== undefined) this.#set(withoutLast(former));
    this.#set({ ...withoutLast(shown), last });
  }

  /** The file of which a closed descriptor was the last; undefined if its release is not awaited. */
  lastAt(pid: number, fd: number): ShownFile | undefined {
    return this.#byLast.get(placeOf([pid, fd]));
  }

  /** No longer awaits the release of a file. */
  forget(file: FileId): void {
    const shown = this.#byFile.get(file);
    if (shown === undefined) return;
    this.#byFile.delete(file);
    this.#byPointer.delete(shown.pointer);
    if (shown.last !== undefined) this.#byLast.delete(placeOf(shown.last));
  }

  clear(): void {
    this.#byLast.clear();
    this.#byFile.clear();
    this.#byPointer.clear();
  }

  /** The files whose release is awaited, as plain data. */
  save(): readonly ShownFile[] {
    return [...this.#byFile.values()];
  }

  /** Loads what `save` returned. */
  restore(files: readonly ShownFile[]): void {
    for (const shown of files) this.#set(shown);
  }

  #set(shown: ShownFile): void {
    const before = this.#byFile.get(shown.file)?.last;
    if (before !== undefined) this.#byLast.delete(placeOf(before));
    this.#byFile.set(shown.file, shown);
    this.#byPointer.set(shown.pointer, shown);
    if (shown.last !== undefined) this.#byLast.set(placeOf(shown.last), shown);
  }
}

/** The source of an event; null if it names none. */
function sourceOf({ evidence }: Fact['data']): string | null {
  return evidence?.source ?? null;
}

function placeOf([pid, fd]: FormerDescriptor): string {
  return `${pid} ${fd}`;
}

function withoutLast({ file, pointer, source }: ShownFile): ShownFile {
  return { file, pointer, source };
}
