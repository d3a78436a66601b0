/**
 * `Volumes`, the open volumes of a log: the newest, and those before it, up to the first missing one.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { closeAfterWriting, fold, openForReading, openForWriting } from './sqlite-file.ts';
import { logError } from './sqlite-errors.ts';
import { Volume } from './sqlite-volume.ts';
import {
  CorruptLogError,
  type Head,
  type MissingVolume,
  NotALogError,
  StoreUnavailableError,
} from './store.ts';
import {
  behindLinks,
  laterVolume,
  type VolumeFile,
  volumeFile,
  volumeFiles,
} from './volume-files.ts';

export interface VolumesOptions {
  readonly readOnly: boolean;
  /** False: the log must exist. Default true. */
  readonly create?: boolean;
  /** For locks, in ms. */
  readonly timeout: number;
}

/** All volumes of one log, open. A reader or writer of the log has one object. */
export class Volumes {
  /** The path of the log behind symbolic links. */
  readonly log: string;
  readonly #options: VolumesOptions;
  /** Oldest first; the last is the newest. */
  readonly #volumes: Volume[] = [];
  #number = 1;

  /**
   * Opens a log. Unless `readOnly` or `create: false`, creates it if it is missing.
   *
   * Throws `NotALogError`, also for a later volume that is to be written to as if it were a log;
   * `CorruptLogError` or `StoreUnavailableError`.
   */
  constructor(given: string, options: VolumesOptions) {
    const log = pathOf(given);
    this.log = log;
    this.#options = options;
    try {
      const files = volumeFiles(log);
      const newest = this.#newestOf(files);
      this.#number = newest.number;
      if (!options.readOnly) this.checkIsWhole(newest);
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

  /** All volumes as of now, oldest first. Opens the next one if the newest was sealed meanwhile. */
  list(): readonly Volume[] {
    for (const [index, volume] of this.#volumes.entries()) {
      const { state } = volume;
      if (state === 'replaced' && volume === this.newest) {
        throw new StoreUnavailableError(
          `${volume.path} is another file than the one that was opened: open the log again`,
        );
      }
      // A sealed volume may have been archived, and copied back.
      if ((state === 'changed' || state === 'replaced') && volume.db.isOpen) this.#reopen(index);
    }
    while (this.newest.isSealed && this.#follow()) {
      // The next volume may be sealed as well.
    }
    return this.#volumes;
  }

  /** All volumes as of the last `list`. */
  get all(): readonly Volume[] {
    return this.#volumes;
  }

  /** The volume for appends, as of the last `list`. Throws `StoreUnavailableError` after `close`. */
  get newest(): Volume {
    const newest = this.#volumes.at(-1);
    if (newest === undefined) throw new StoreUnavailableError(`${this.log} is closed`);
    return newest;
  }

  /** The sealed volumes before the newest, as of the last `list`. */
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

  get #newestFile(): VolumeFile {
    return { number: this.#number, path: this.newest.path };
  }

  /** The volume after the newest one, if that is sealed, as of now. */
  get missing(): MissingVolume | null {
    this.list();
    if (!this.newest.isSealed) return null;
    const { path } = this.newest;
    const next = this.#after(path);
    return { sealed: path, next, isThere: existsSync(next) };
  }

  /** The volume for appends, as of now. Throws `StoreUnavailableError` if it is missing. */
  writable(): Volume {
    const { missing } = this;
    if (missing === null) return this.newest;
    throw new StoreUnavailableError(
      `${missing.sealed} is sealed, and ${basename(missing.next)}, which continues the log, is missing`,
    );
  }

  /** Throws `NotALogError` if the newest volume is a later one of another log, named like a log. */
  checkIsWhole({ number, path }: VolumeFile = this.#newestFile): void {
    const later = number === 1 ? laterVolume(path) : null;
    if (later === null || !this.#continuesAnother(path)) return;
    throw new NotALogError(`${path} is a volume of ${later.log}: name that instead`);
  }

  close(): void {
    const newest = this.#volumes.pop();
    for (const volume of this.#volumes.splice(0)) {
      volume.close();
      this.#fold(volume.path);
    }
    if (newest !== undefined) this.#closeNewest(newest);
  }

  /** The newest file that is part of the log: a seal that was interrupted leaves an extra file. */
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

  #continuesAnother(path: string): boolean {
    try {
      const volume = this.#openOlder(path);
      volume.close();
      return volume.anchors.size > 0;
    } catch (error) {
      if (error instanceof NotALogError && error.isUnbegun) return false;
      throw error;
    }
  }

  /** The path of the volume after the newest one, which may have been named like a log. */
  #after(newest: string): string {
    const later = this.#number === 1 && this.newest.anchors.size > 0 ? laterVolume(newest) : null;
    const { log, number } = later ?? { log: this.log, number: this.#number };
    return volumeFile(log, number + 1).path;
  }

  #hasEvents(path: string): boolean {
    const volume = this.#openOlder(path);
    try {
      return volume.streams().length > 0;
    } finally {
      volume.close();
    }
  }

  /** Opens the next volume. False if it is missing. */
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
    // A later volume is only created by a seal, with the heads that it continues from.
    const isFirst = path === this.log;
    try {
      if (readOnly) return this.#openOlder(path);
      return new Volume(path, openForWriting(path, { create: create && isFirst, timeout }));
    } catch (error) {
      const isLost = !isFirst && error instanceof NotALogError && error.isUnbegun;
      throw isLost ? new CorruptLogError(null, error.message) : error;
    }
  }

  #reopen(index: number): void {
    const before = this.#volumes[index];
    if (before === undefined) return;
    const volume = this.#openAgain(before.path);
    try {
      volume.follow(before);
      const [previous, next] = [this.#volumes[index - 1], this.#volumes[index + 1]];
      if (previous !== undefined) checkLink(previous, volume);
      if (next !== undefined) checkLink(volume, next);
    } catch (error) {
      volume.close();
      throw error;
    }
    before.close();
    this.#volumes[index] = volume;
  }

  #openAgain(path: string): Volume {
    try {
      return this.#openOlder(path);
    } catch (error) {
      if (!(error instanceof NotALogError)) throw error;
      throw new CorruptLogError(null, `it was a log when it was opened: ${error.message}`);
    }
  }

  #openOlder(path: string): Volume {
    this.#fold(path);
    return new Volume(path, openForReading(path, this.#options.timeout));
  }

  /** Merges the -wal into a volume that was sealed while other processes had it open. */
  #fold(path: string): void {
    const isOne = !existsSync(`${path}-wal`) && !existsSync(`${path}-journal`);
    if (this.#options.readOnly || isOne) return;
    try {
      fold(path);
    } catch {
      // Another process still has it open.
    }
  }

  #closeNewest(volume: Volume): void {
    if (this.#options.readOnly) volume.close();
    else if (volume.db.isOpen) closeAfterWriting(volume.db);
  }
}

function pathOf(log: string): string {
  try {
    return behindLinks(log);
  } catch (error) {
    throw logError(log, error);
  }
}

/** Throws `CorruptLogError` unless the seal of a volume equals the anchors of the next one. */
function checkLink(volume: Volume, next: Volume): void {
  const seal = volume.seal();
  const names = new Set([...(seal?.keys() ?? []), ...next.anchors.keys()]);
  for (const stream of names) {
    if (isSame(seal?.get(stream), next.anchors.get(stream))) continue;
    const position = next.anchors.get(stream)?.position ?? seal?.get(stream)?.position ?? null;
    throw new CorruptLogError(
      position,
      `${next.path} does not continue stream '${stream}' from the end of ${volume.path}`,
    );
  }
}

function isSame(one: Head | undefined, other: Head | undefined): boolean {
  return one?.position === other?.position && one?.hash === other?.hash;
}
