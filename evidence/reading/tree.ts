/**
 * The files of a host, living or copied. What is not there or may not be read is null.
 *
 * @module
 */
import {
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path/posix';

const MOST_LINKS = 40;

export class Tree {
  /** Whether these are the files of the host that this runs on. */
  readonly isLive: boolean;
  readonly #root: string;
  readonly #places = new Map<string, string | null>();

  constructor(root: string) {
    this.#root = realpathSync(root);
    this.isLive = this.#root === '/';
  }

  has(path: string): boolean {
    return orNull(() => lstatSync(this.#place(path))) !== null;
  }

  bytes(path: string): Buffer | null {
    return orNull(() => {
      const place = this.#place(path);
      // A copy of /dev or /run may have pipes in it, and to read one would never end.
      if (!this.isLive && !lstatSync(place).isFile()) return null;
      return readFileSync(place);
    });
  }

  /** Without the newline at its end; null where it is empty, as the files of /proc are in an archive. */
  text(path: string): string | null {
    return this.bytes(path)?.toString().replace(/\n$/, '') || null;
  }

  /** Names in a folder, `vfio2` before `vfio10`. */
  list(path: string): readonly string[] | null {
    return orNull(() => readdirSync(this.#place(path)).sort(byNumber));
  }

  /** Where a symbolic link points to, as it is written. */
  link(path: string): string | null {
    return orNull(() => readlinkSync(join(this.#place(dirname(path)), nameIn(path))));
  }

  /** Major and minor of a device node. */
  devnum(path: string): string | null {
    const stats = orNull(() => lstatSync(this.#place(path)));
    return stats?.isCharacterDevice() === true ? devnumOf(stats.rdev) : null;
  }

  /** Major and minor of what a link of `/proc/PID/fd` stands for; null where it is no device. */
  devnumBehind(path: string): string | null {
    if (!this.isLive) return null;
    const stats = orNull(() => statSync(path));
    return stats?.isCharacterDevice() === true ? devnumOf(stats.rdev) : null;
  }

  #place(path: string): string {
    if (this.isLive) return path;
    const place = this.#within(path, 0);
    if (place === null) throw new Error(`${path} leads nowhere`);
    return join(this.#root, place);
  }

  /** The path without links in it. Links begin at the root of the tree, and never lead out of it. */
  #within(path: string, links: number): string | null {
    if (path === '/') return '/';
    const known = this.#places.get(path);
    if (known !== undefined) return known;
    const folder = this.#within(dirname(path), links);
    if (folder === null) return null;
    const place = join(folder, nameIn(path));
    const target = orNull(() => readlinkSync(join(this.#root, place)));
    const found =
      target === null
        ? place
        : links === MOST_LINKS
          ? null
          : this.#within(resolve(folder, target), links + 1);
    this.#places.set(path, found);
    return found;
  }
}

/** The last element of a path or of a link's target. */
export function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** `major:minor` of an `st_rdev`. */
export function devnumOf(rdev: number): string {
  const major = (rdev >>> 8) & 0xfff;
  const minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
  return `${major}:${minor}`;
}

export const byNumber = new Intl.Collator('en', { numeric: true }).compare;

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
