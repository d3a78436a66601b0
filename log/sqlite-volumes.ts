/**
 * The volumes of a log that are here: the newest, and those before it back to the first that is not.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { closeAfterWriting, fold, openForReading, openForWriting } from './sqlite-file.ts';
import { logError } from './sqlite-errors.ts';
import { Volume } from './sqlite-volume.ts';
import { CorruptLogError, type Head, StoreUnavailableError } from './store.ts';
import { type VolumeFile, volumeFile, volumeFiles } from './volume-files.ts';

export interface VolumesOptions {
  readonly readOnly: boolean;
  /** False where the log must exist; true when left out. */
  readonly create?: boolean;
  /** For locks, in ms. */
  readonly timeout: number;
}

export class Volumes {
  readonly log: string;
  readonly #options: VolumesOptions;
  /** Oldest first; the last is the newest. */
  readonly #volumes: Volume[] = [];
  #number = 1;

  /**
   * Opens a log; to write, it is created where there is none, unless `create` is false.
   *
   * Throws `NotALogError`, `CorruptLogError` or `StoreUnavailableError`.
   */
  constructor(log: string, options: VolumesOptions) {
    this.log = log;
    this.#options = options;
    const files = volumeFiles(log);
    try {
      const newest = this.#newestOf(files);
      this.#number = newest.number;
      this.#volumes.push(this.#openNewest(newest.path));
      for (let number = newest.number - 1; files.some((file) => file.number === number); number--) {
        const older = this.#openOlder(volumeFile(log, number).path);
        this.#volumes.unshift(older);
        checkLink(older, this.#volumes[1] ?? older);
      }
    } catch (error) {
      this.close();
      throw logError(log, error);
    }
  }

  /** All of them as they are now, oldest first: those sealed in the meantime have been followed. */
  list(): readonly Volume[] {
    for (const [index, volume] of this.#volumes.entries()) {
      if (!volume.isOutdated) continue;
      volume.close();
      this.#volumes[index] = this.#openOlder(volume.path);
    }
    while (this.newest.isSealed && this.#follow()) {
      // One seal after the other.
    }
    return this.#volumes;
  }

  /** All of them as they were at the last `list`. */
  get all(): readonly Volume[] {
    return this.#volumes;
  }

  /** The one that events are appended to, unless it has been sealed since `list`. */
  get newest(): Volume {
    const newest = this.#volumes.at(-1);
    if (newest === undefined) throw new StoreUnavailableError(`${this.log} is closed`);
    return newest;
  }

  /** The sealed ones before the newest, as they were at the last `list`. */
  get older(): readonly Volume[] {
    return this.#volumes.slice(0, -1);
  }

  /** For locks, in ms. */
  get timeout(): number {
    return this.#options.timeout;
  }

  get newestNumber(): number {
    return this.#number;
  }

  /** The one that events are appended to now. Throws `StoreUnavailableError` where it is missing. */
  writable(): Volume {
    this.list();
    const volume = this.newest;
    if (!volume.isSealed) return volume;
    const next = basename(volumeFile(this.log, this.#number + 1).path);
    throw new StoreUnavailableError(
      `${volume.path} is sealed, and ${next}, in which the log goes on, is not here`,
    );
  }

  close(): void {
    const newest = this.#volumes.pop();
    for (const volume of this.#volumes.splice(0)) {
      volume.close();
      this.#fold(volume.path);
    }
    if (newest !== undefined) this.#closeNewest(newest);
  }

  /** The newest that is one: a seal that did not come about may have left a file behind. */
  #newestOf(files: readonly VolumeFile[]): VolumeFile {
    const newest = files.at(-1) ?? volumeFile(this.log, 1);
    const before = files.at(-2);
    if (before?.number !== newest.number - 1) return newest;
    const older = this.#openOlder(before.path);
    try {
      return older.isSealed || this.#hasEvents(newest.path) ? newest : before;
    } finally {
      older.close();
    }
  }

  #hasEvents(path: string): boolean {
    const volume = this.#openOlder(path);
    try {
      return volume.streams().length > 0;
    } finally {
      volume.close();
    }
  }

  /** Goes on to the next volume; false where that is not here. */
  #follow(): boolean {
    const next = volumeFile(this.log, this.#number + 1);
    if (!volumeFiles(this.log).some(({ number }) => number === next.number)) return false;
    const sealed = this.newest;
    const newest = this.#openNewest(next.path);
    checkLink(sealed, newest);
    if (!this.#options.readOnly) {
      this.#closeNewest(sealed);
      this.#volumes[this.#volumes.length - 1] = this.#openOlder(sealed.path);
    }
    this.#volumes.push(newest);
    this.#number = next.number;
    return true;
  }

  #openNewest(path: string): Volume {
    const { readOnly, create = true, timeout } = this.#options;
    if (readOnly) return this.#openOlder(path);
    return new Volume(path, openForWriting(path, { create, timeout }));
  }

  #openOlder(path: string): Volume {
    this.#fold(path);
    const { db, outdated } = openForReading(path, this.#options.timeout);
    return new Volume(path, db, outdated);
  }

  /** What was sealed while others had it open is one file again once they have let go of it. */
  #fold(path: string): void {
    const isOne = !existsSync(`${path}-wal`) && !existsSync(`${path}-journal`);
    if (this.#options.readOnly || isOne) return;
    try {
      fold(path);
    } catch {
      // Somebody still has it open.
    }
  }

  #closeNewest(volume: Volume): void {
    if (this.#options.readOnly) volume.close();
    else if (volume.db.isOpen) closeAfterWriting(volume.db);
  }
}

/** Throws `CorruptLogError` unless a volume ends with the heads that the next one begins after. */
function checkLink(volume: Volume, next: Volume): void {
  const seal = volume.seal();
  const names = new Set([...(seal?.keys() ?? []), ...next.anchors.keys()]);
  for (const stream of names) {
    if (isSame(seal?.get(stream), next.anchors.get(stream))) continue;
    const position = next.anchors.get(stream)?.position ?? seal?.get(stream)?.position ?? null;
    throw new CorruptLogError(
      position,
      `${next.path} does not go on from where ${volume.path} ends`,
    );
  }
}

function isSame(one: Head | undefined, other: Head | undefined): boolean {
  return one?.position === other?.position && one?.hash === other?.hash;
}
