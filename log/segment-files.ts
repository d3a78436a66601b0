/**
 * The segment files of the time index, a cache beside the log: LOG.index/STREAM/FIRST-COUNT.segment.
 *
 * No error with them is an error of the log. A file that cannot be read counts as missing, and one that
 * cannot be written is not kept.
 *
 * @module
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { clearDrafts, replaceFile } from './drafts.ts';
import { sha256 } from './hash.ts';
import { makePrivateFolder } from './private-files.ts';

/** Bytes; a larger file is not a segment. Most segments have less than a hundredth of it. */
const SIZE_MAX = 2 ** 28;

/** A file is named by its events: the position of the first, and their number. */
export interface SegmentFile {
  readonly first: number;
  readonly count: number;
}

/** The segment files of one stream. No method throws. */
export class SegmentFiles {
  readonly #folder: string;

  constructor(log: string, stream: string) {
    // A stream may have a name that no folder can have.
    this.#folder = join(folderOf(log), sha256(stream).slice(0, 16));
  }

  /** The files, in no order. Drafts that killed processes left are removed. */
  list(): SegmentFile[] {
    const names = this.#names();
    attempt(() => clearDrafts(this.#folder, names));
    return names.flatMap((name) => {
      const [, first, count] = /^(\d{12})-(\d+)\.segment$/.exec(name) ?? [];
      return first === undefined ? [] : [{ first: Number(first), count: Number(count) }];
    });
  }

  /** The bytes of a file; null if it cannot be read. */
  read(file: SegmentFile): Uint8Array | null {
    return attempt(() => inFile(this.#path(file), (descriptor) => readFileSync(descriptor)));
  }

  /** The bytes from one offset to another, as far as there are any; null if they cannot be read. */
  readBytes(file: SegmentFile, from: number, to: number): Uint8Array<ArrayBuffer> | null {
    return attempt(() =>
      inFile(this.#path(file), (descriptor) => {
        // What a forged directory asks for may be more than there is memory for.
        const end = Math.min(to, fstatSync(descriptor).size);
        const bytes = new Uint8Array(Math.max(end - from, 0));
        return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, from));
      }),
    );
  }

  /** False if it could not be written. Two processes may write at once: both write the same bytes. */
  write(file: SegmentFile, bytes: Uint8Array): boolean {
    const isWritten = attempt(() => {
      makePrivateFolder(this.#folder);
      replaceFile(this.#path(file), bytes);
      return true;
    });
    return isWritten === true;
  }

  remove(file: SegmentFile): void {
    attempt(() => rmSync(this.#path(file), { force: true }));
  }

  #names(): readonly string[] {
    return attempt(() => readdirSync(this.#folder)) ?? [];
  }

  #path({ first, count }: SegmentFile): string {
    return join(this.#folder, `${String(first).padStart(12, '0')}-${count}.segment`);
  }
}

/** Reads from a file; null if it is none. It does not wait for a pipe, and follows no link. */
function inFile<T>(path: string, read: (descriptor: number) => T): T | null {
  const descriptor = openSync(
    path,
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  );
  try {
    const stats = fstatSync(descriptor);
    return stats.isFile() && stats.size <= SIZE_MAX ? read(descriptor) : null;
  } finally {
    closeSync(descriptor);
  }
}

/** Removes LOG.index. */
export function removeSegmentFiles(log: string): void {
  attempt(() => rmSync(folderOf(log), { recursive: true, force: true }));
}

function folderOf(log: string): string {
  return `${log}.index`;
}

function attempt<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}
