/**
 * The names of a log's volumes: LOG is the first, and each seal adds one: LOG.0002, LOG.0003 and so on.
 * If LOG is a symbolic link, the volumes and LOG.index lie beside the file that it leads to; but if there
 * are later volumes beside the link, beside the link.
 *
 * The newest volume has the highest number. A file is never renamed, because SQLite finds the -wal and
 * the -shm of an open file by its name.
 *
 * @module
 */
import { readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

export interface VolumeFile {
  readonly number: number;
  readonly path: string;
}

/** The path of a volume by its number, from 1. */
export function volumeFile(log: string, number: number): VolumeFile {
  const path = number === 1 ? log : `${log}.${String(number).padStart(4, '0')}`;
  return { number, path };
}

/** Links that lead to links; the kernel follows as many (fs/namei.c:MAXSYMLINKS). */
const MOST_LINKS = 40;

/**
 * The path of a log behind symbolic links, even if its first volume is missing; the path as it is given
 * if it is no link. A link with later volumes beside it is not followed: it is a first volume that lies
 * elsewhere. Throws errors of the file system for a link that cannot be followed.
 */
export function behindLinks(log: string): string {
  let path = log;
  for (let links = 0; links < MOST_LINKS; links++) {
    const target = linkAt(path);
    if (target === null || numbersBeside(path).some((number) => number > 1)) return path;
    path = resolve(realpathSync(dirname(resolve(path))), target);
  }
  // A loop of links: throws ELOOP.
  return realpathSync(path);
}

/** The volumes that exist, by number. */
export function volumeFiles(given: string): VolumeFile[] {
  const log = behindLinks(given);
  return numbersBeside(log).map((number) => volumeFile(log, number));
}

/** A path as that of a second or later volume; null if it does not have such a name. */
export function laterVolume(
  path: string,
): { readonly log: string; readonly number: number } | null {
  const [, log, digits] = /^(.+)\.(\d{4,})$/.exec(path) ?? [];
  return log === undefined || Number(digits) < 2 ? null : { log, number: Number(digits) };
}

function linkAt(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    // It is no link, or there is nothing.
    return null;
  }
}

/** Ascending. */
function numbersBeside(log: string): number[] {
  const name = basename(log);
  const numbers = namesBeside(log).flatMap((found) => {
    if (found === name) return [1];
    const rest = found.startsWith(name) ? found.slice(name.length) : '';
    const [, digits] = /^\.(\d{4,})$/.exec(rest) ?? [];
    return digits === undefined || Number(digits) < 2 ? [] : [Number(digits)];
  });
  return numbers.sort((a, b) => a - b);
}

function namesBeside(path: string): string[] {
  try {
    return readdirSync(dirname(resolve(path)));
  } catch {
    // The folder is missing, or cannot be listed.
    return [basename(path)];
  }
}
