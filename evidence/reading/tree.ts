/**
 * `Tree`: reads files of the running host, or of a copy. A file that cannot be read gives null.
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

/** The file tree of a host below `root`. The constructor throws if there is no such folder. */
export class Tree {
  /** Whether this is the running host, not a copy. */
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
      // A copy of /dev or /run may contain pipes: reading one would never end.
      if (!this.isLive && !lstatSync(place).isFile()) return null;
      return readFileSync(place);
    });
  }

  /** The text of a file without a final newline; null if empty, as files of /proc are in an archive. */
  text(path: string): string | null {
    return this.bytes(path)?.toString().replace(/\n$/, '') || null;
  }

  /** The names in a folder, in natural order: `vfio2` before `vfio10`. */
  list(path: string): readonly string[] | null {
    return orNull(() => readdirSync(this.#place(path)).sort(byNumber));
  }

  /** The target of a symbolic link, as it is written. */
  link(path: string): string | null {
    return orNull(() => readlinkSync(join(this.#place(dirname(path)), nameIn(path))));
  }

  /** `MAJOR:MINOR` of a device node. */
  devnum(path: string): string | null {
    const stats = orNull(() => lstatSync(this.#place(path)));
    return stats?.isCharacterDevice() === true ? devnumOf(stats.rdev) : null;
  }

  /** `MAJOR:MINOR` of the file behind a link in `/proc/PID/fd`; null if it is not a device. */
  devnumBehind(path: string): string | null {
    if (!this.isLive) return null;
    const stats = orNull(() => statSync(path));
    return stats?.isCharacterDevice() === true ? devnumOf(stats.rdev) : null;
  }

  #place(path: string): string {
    if (this.isLive) return path;
    const place = this.#within(path, 0);
    if (place === null) throw new Error(`${path}: too many symbolic links`);
    return join(this.#root, place);
  }

  /** Resolves the links in a path. Absolute links start at the root of the tree and never leave it. */
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

let collator: Intl.Collator | undefined;

/** Compares names in natural order: `vfio2` comes before `vfio10`. */
export function byNumber(a: string, b: string): number {
  // It is made here because most runs read no host, and it takes 10 ms.
  collator ??= new Intl.Collator('en', { numeric: true });
  return collator.compare(a, b);
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
