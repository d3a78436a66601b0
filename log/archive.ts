/**
 * Archiving: a whole copy of a sealed volume in a folder, which may be on another file system.
 *
 * On the same file system a copy is a second name of the file (a hard link), which takes no space. On
 * another one its bytes are written to NAME.new, which is renamed once they are on disk: a file under
 * its own name is whole.
 *
 * @module
 */
import {
  closeSync,
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { codeOf, logError } from './sqlite-errors.ts';
import { syncFile, syncFolder } from './sqlite-file.ts';
import { StoreUnavailableError } from './store.ts';

/** Of `link`: the two folders are on different file systems, or these files cannot be linked. */
const cannotLink: ReadonlySet<string> = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'ENOSYS']);

/**
 * The path of a volume in an archive. Throws `StoreUnavailableError` if there is no such folder, if
 * it is that of the volume, or if it has a file of the name that is no copy of the volume.
 */
export function placeIn(archive: string, file: string): string {
  return guarded(archive, () => {
    const folder = statSync(archive, { throwIfNoEntry: false });
    if (folder?.isDirectory() !== true) {
      throw new StoreUnavailableError(`there is no folder ${archive}`);
    }
    const to = join(archive, basename(file));
    if (isOneEntry(to, file)) {
      throw new StoreUnavailableError(`${archive} is the folder of the log: name another one`);
    }
    if (likeness(to, file) === 'other') throw new StoreUnavailableError(`${to} already exists`);
    return to;
  });
}

/**
 * Puts a whole copy of a volume at a path that `placeIn` gave; it is on disk then. Keeps a copy that is
 * there. Throws `StoreUnavailableError`, also for a full archive, and then has written nothing.
 */
export function copyTo(to: string, volume: string): void {
  guarded(to, () => {
    const file = realpathSync(volume);
    if (likeness(to, file) === 'same') {
      syncFile(to);
      return syncFolder(to);
    }
    const draft = `${to}.new`;
    rmSync(draft, { force: true });
    try {
      linkOrCopy(file, draft);
      syncFile(draft);
      renameSync(draft, to);
      syncFolder(to);
    } catch (error) {
      rmSync(draft, { force: true });
      throw error;
    }
  });
}

function linkOrCopy(file: string, to: string): void {
  try {
    linkSync(file, to);
  } catch (error) {
    if (!cannotLink.has(codeOf(error))) throw error;
    copyFileSync(file, to, constants.COPYFILE_EXCL);
  }
}

/**
 * What is at a path, compared with a file: a whole copy, the beginning of one, or nothing, which are
 * both written over; or something else.
 */
function likeness(path: string, file: string): 'same' | 'partial' | 'other' {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return 'partial';
  const { size } = statSync(file);
  if (!there.isFile() || there.size > size || !isBeginning(path, file)) return 'other';
  return there.size === size ? 'same' : 'partial';
}

const BLOCK = 1 << 20;

/** Whether all bytes of a file are those with which another one begins. */
function isBeginning(path: string, whole: string): boolean {
  const [one, other] = [openSync(path, 'r'), openSync(whole, 'r')];
  try {
    const [ours, theirs] = [Buffer.alloc(BLOCK), Buffer.alloc(BLOCK)];
    for (let position = 0; ;) {
      const read = readSync(one, ours, { position });
      if (read === 0) return true;
      readSync(other, theirs, { position });
      if (!ours.subarray(0, read).equals(theirs.subarray(0, read))) return false;
      position += read;
    }
  } finally {
    closeSync(one);
    closeSync(other);
  }
}

/** Whether two paths are one name in one folder. A folder that is mounted twice has one inode. */
export function isOneEntry(one: string, other: string): boolean {
  const [ours, theirs] = [statSync(dirname(one)), statSync(dirname(other))];
  const isOneFolder = ours.dev === theirs.dev && ours.ino === theirs.ino;
  return isOneFolder && basename(one) === basename(other);
}

function guarded<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw logError(path, error);
  }
}
