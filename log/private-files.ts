/**
 * Creates files and folders that only their owner can read: files have mode 0600 and folders 0700,
 * whatever the umask. What exists already keeps its mode.
 *
 * A file is never readable by others, not even for a moment: it is created with its mode. A umask can
 * only take the owner's own permissions away; these are given back.
 *
 * @module
 */
import { isError } from '../events/is-error.ts';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';

const FILE = 0o600;
const FOLDER = 0o700;
/** As many symbolic links in a row as Linux follows. */
const LINKS_MAX = 40;

/**
 * Creates a file and returns a descriptor to read and write it. Throws the system's error; `EEXIST` if
 * there is anything with this name, also a symbolic link that leads nowhere.
 */
export function createPrivate(path: string): number {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
  const descriptor = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, FILE);
  try {
    if (lacks(fstatSync(descriptor).mode, FILE)) fchmodSync(descriptor, FILE);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Creates an empty file if there is none; also where symbolic links lead to. Throws the system's error. */
export function ensurePrivate(path: string): void {
  if (existsSync(path)) return;
  try {
    closeSync(createPrivate(targetOf(path)));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/** Writes a file, a new one or the content of one that exists. Throws the system's error. */
export function writePrivate(path: string, content: string): void {
  ensurePrivate(path);
  writeFileSync(path, content);
}

/** Creates a folder and those above it, if they are missing. Throws the system's error. */
export function makePrivateFolder(path: string): void {
  try {
    makeFolder(path);
  } catch (error) {
    const parent = dirname(path);
    if (codeOf(error) !== 'ENOENT' || parent === path) throw error;
    makePrivateFolder(parent);
    makeFolder(path);
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, FOLDER);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    throw error;
  }
  if (lacks(statSync(path).mode, FOLDER)) chmodSync(path, FOLDER);
}

/** Whether a mode lacks permissions of the owner. */
function lacks(mode: number, wanted: number): boolean {
  return (mode & wanted) !== wanted;
}

/** The path that symbolic links lead to, whether or not anything is there. */
function targetOf(path: string): string {
  let target = path;
  for (let links = 0; links < LINKS_MAX; links++) {
    if (lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return target;
    target = resolve(realpathSync(dirname(target)), readlinkSync(target));
  }
  return target;
}

function codeOf(error: unknown): unknown {
  return isError(error) && 'code' in error ? error.code : null;
}
