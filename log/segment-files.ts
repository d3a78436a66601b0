/**
 * Files beside a log in which somebody keeps what can be made anew: LOG.index/STREAM/FIRST-COUNT.
 *
 * Whatever goes wrong with them is no fault of the log's: what cannot be read is not there, and what
 * cannot be written is not kept.
 *
 * @module
 */
import { hash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Named after the events that it is of. */
export interface SegmentFile {
  readonly first: number;
  readonly count: number;
}

export class SegmentFiles {
  readonly #folder: string;

  constructor(log: string, stream: string) {
    // A stream may have any name, and a folder may not.
    this.#folder = join(folderOf(log), hash('sha256', stream).slice(0, 16));
  }

  list(): SegmentFile[] {
    return this.#names().flatMap((name) => {
      const [, first, count] = /^(\d{12})-(\d+)\.segment$/.exec(name) ?? [];
      return first === undefined ? [] : [{ first: Number(first), count: Number(count) }];
    });
  }

  read(file: SegmentFile): Uint8Array | null {
    return attempt(() => readFileSync(this.#path(file)));
  }

  /** Whether it was written. Another process may do so at the same time, and writes the same. */
  write(file: SegmentFile, bytes: Uint8Array): boolean {
    const path = this.#path(file);
    const draft = `${path}.${process.pid}`;
    const isWritten = attempt(() => {
      mkdirSync(this.#folder, { recursive: true });
      writeFileSync(draft, bytes);
      renameSync(draft, path);
      return true;
    });
    if (isWritten !== true) attempt(() => rmSync(draft, { force: true }));
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

/** Removes what is kept beside a log, of all streams. */
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
