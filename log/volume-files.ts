/**
 * The names of a log's volumes: LOG is the first, and each seal adds one: LOG.0002, LOG.0003 and so on.
 *
 * The newest volume has the highest number. A file is never renamed, because SQLite finds the -wal and
 * the -shm of an open file by its name.
 *
 * @module
 */
import { readdirSync } from 'node:fs';
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

/** The volumes that exist, by number. */
export function volumeFiles(log: string): VolumeFile[] {
  const name = basename(log);
  const numbers = namesBeside(log).flatMap((found) => {
    if (found === name) return [1];
    const rest = found.startsWith(name) ? found.slice(name.length) : '';
    const [, digits] = /^\.(\d{4,})$/.exec(rest) ?? [];
    return digits === undefined || Number(digits) < 2 ? [] : [Number(digits)];
  });
  return numbers.sort((a, b) => a - b).map((number) => volumeFile(log, number));
}

/** The log of which the path is the second or a later volume; null if it is not one. */
export function logOfVolume(path: string): string | null {
  const [, log] = /^(.+)\.\d{4,}$/.exec(path) ?? [];
  if (log === undefined) return null;
  return volumeFiles(log).some((file) => basename(file.path) === basename(path)) ? log : null;
}

function namesBeside(path: string): string[] {
  try {
    return readdirSync(dirname(resolve(path)));
  } catch {
    // The folder is missing, or cannot be listed.
    return [basename(path)];
  }
}
