/**
 * Whether a path still leads to the file that was opened. If another file is moved to its place, SQLite
 * goes on with the old one; and it knows nothing of changes that are not made through SQLite.
 *
 * @module
 */
import { type BigIntStats, realpathSync, statSync } from 'node:fs';

/**
 * `changed`: the file has been written to. `replaced`: the path leads to another file. `gone`: it leads to
 * none, because the file was moved or removed.
 */
export type FileState = 'same' | 'changed' | 'replaced' | 'gone';

/** The file that a path leads to. Make one before the file is opened, not after. */
export class FileInUse {
  /** The path behind symbolic links. */
  readonly path: string;
  readonly #before: BigIntStats;

  /** Throws the errors of the file system. */
  constructor(path: string) {
    this.path = realpathSync(path);
    this.#before = statSync(this.path, { bigint: true });
  }

  get state(): FileState {
    const before = this.#before;
    const now = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    if (now === undefined) return 'gone';
    if (now.ino !== before.ino || now.dev !== before.dev) return 'replaced';
    // Unlike the time of the last change to the content, nobody can set this one back.
    return now.ctimeNs === before.ctimeNs && now.size === before.size ? 'same' : 'changed';
  }
}
