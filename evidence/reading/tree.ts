/**
 * `Tree`: reads files of the running host, or of a copy. A file that is not there gives null, and so
 * does one that cannot be read, which is noted: what it would have shown is unknown.
 *
 * A copy may have been made by anybody. Links in it never lead out of it, as after chroot(2); nothing
 * but folders, links and regular files is opened; no file is read without a limit.
 *
 * @module
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path/posix';

const MOST_LINKS = 40;

/** The most bytes of a file that are read, unless its reader knows better. */
const LONGEST = 1 << 16;
const PIECE = 1 << 16;

/** Something is there and cannot be read. The message says why, in words. */
class Unreadable extends Error {}

/** By errno, why something that is there cannot be read. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTDIR: 'not a folder',
  EINVAL: 'not a link',
  ELOOP: 'too many symbolic links',
};

/** Errnos that mean: it is not there, or not any more. */
const ABSENT = new Set(['ENOENT', 'ESRCH']);

/** The file tree of a host below `root`. The constructor throws if there is no such folder. */
export class Tree {
  /** Whether this is the running host, not a copy. */
  readonly isLive: boolean;
  readonly #root: string;
  /** The places of folders, by their paths. */
  readonly #folders = new Map<string, string>([['/', '']]);
  readonly #unreadable = new Map<string, string>();

  constructor(root: string) {
    const place = realpathSync(root);
    this.isLive = place === '/';
    this.#root = this.isLive ? '' : place;
  }

  /** Why a path cannot be read that is there; null if it could, or if it is not there. */
  whyUnreadable(path: string): string | null {
    return this.#unreadable.get(path) ?? null;
  }

  /** The paths so far that are there and cannot be read, each with the reason. */
  get unreadable(): ReadonlyMap<string, string> {
    return this.#unreadable;
  }

  has(path: string): boolean {
    return this.#read(path, () => lstatSync(this.#place(path))) !== null;
  }

  /** The content of a file; null also if it has more than `most` bytes. */
  bytes(path: string, most = LONGEST): Buffer | null {
    return this.#read(path, () => {
      const place = this.#place(path);
      // Opening a device may change it, and opening a pipe would wait for a writer.
      if (!this.isLive && !lstatSync(place).isFile()) throw new Unreadable('not a file');
      const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
      const file = openSync(place, O_RDONLY | O_NONBLOCK | (this.isLive ? 0 : O_NOFOLLOW));
      try {
        if (!fstatSync(file).isFile()) throw new Unreadable('not a file');
        return contentOf(file, most);
      } finally {
        closeSync(file);
      }
    });
  }

  /** The text of a file without a final newline; null if empty, as files of /proc are in an archive. */
  text(path: string, most = LONGEST): string | null {
    return this.bytes(path, most)?.toString().replace(/\n$/, '') || null;
  }

  /** The names in a folder, in natural order: `vfio2` before `vfio10`. */
  list(path: string): readonly string[] | null {
    return this.#read(path, () => readdirSync(this.#place(path)).sort(byNumber));
  }

  /** The target of a symbolic link, as it is written. */
  link(path: string): string | null {
    return this.#read(path, () => {
      return readlinkSync(`${this.#root}${this.#folder(dirname(path))}/${nameIn(path)}`);
    });
  }

  /** `MAJOR:MINOR` of a device node. */
  devnum(path: string): string | null {
    const stats = this.#read(path, () => lstatSync(this.#place(path)));
    return stats?.isCharacterDevice() === true ? devnumOf(stats.rdev) : null;
  }

  /** `MAJOR:MINOR` of the file behind a link in `/proc/PID/fd`; null if it is not a device. */
  devnumBehind(path: string): string | null {
    if (!this.isLive) return null;
    const stats = this.#read(path, () => statSync(path));
    return stats?.isCharacterDevice() === true ? devnumOf(stats.rdev) : null;
  }

  #read<T>(path: string, read: () => T): T | null {
    try {
      return read();
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      if (error instanceof Unreadable) this.#unreadable.set(path, message);
      else if (!ABSENT.has(code)) this.#unreadable.set(path, reasons[code] ?? (code || message));
      return null;
    }
  }

  #place(path: string): string {
    if (this.isLive || path === '/') return this.#root + path;
    return this.#root + this.#within(this.#folder(dirname(path)), nameIn(path));
  }

  /** The place of a folder below the root, without links; '' is the root. */
  #folder(path: string): string {
    if (this.isLive) return path;
    let place = this.#folders.get(path);
    if (place === undefined) {
      place = this.#within(this.#folder(dirname(path)), nameIn(path));
      this.#folders.set(path, place);
    }
    return place;
  }

  /** The place below the root that a name in a folder leads to. Throws after too many links. */
  #within(folder: string, name: string): string {
    let place = folder;
    let links = 0;
    for (const left = [name]; left.length > 0;) {
      const next = left.pop() ?? '';
      if (next === '' || next === '.') continue;
      if (next === '..') {
        place = place.slice(0, Math.max(0, place.lastIndexOf('/')));
        continue;
      }
      const target = linkAt(`${this.#root}${place}/${next}`);
      if (target === null) {
        place = `${place}/${next}`;
        continue;
      }
      if (++links > MOST_LINKS) throw new Unreadable('too many symbolic links');
      if (target.startsWith('/')) place = '';
      left.push(...target.split('/').reverse());
    }
    return place;
  }
}

/** The target of a link; null if a place is no link, or nothing is there. */
function linkAt(place: string): string | null {
  const isLink = lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return isLink ? readlinkSync(place) : null;
}

function contentOf(file: number, most: number): Buffer {
  const pieces: Buffer[] = [];
  let length = 0;
  for (;;) {
    const piece = Buffer.allocUnsafe(PIECE);
    const count = readSync(file, piece);
    if (count === 0) return Buffer.concat(pieces, length);
    length += count;
    if (length > most) throw new Unreadable(`larger than ${most} bytes`);
    pieces.push(piece.subarray(0, count));
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
