/**
 * The files that a log lies in: LOG itself, and after each seal the next, LOG.0002 and on.
 *
 * The first volume keeps the name of the log and the newest has the highest number: a file that is
 * in use is never renamed, for SQLite finds what lies beside it by its name.
 *
 * @module
 */
import { readdirSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

export interface VolumeFile {
  readonly number: number;
  readonly path: string;
}

/** Where the volume of that number lies. */
export function volumeFile(log: string, number: number): VolumeFile {
  const path = number === 1 ? log : `${log}.${String(number).padStart(4, '0')}`;
  return { number, path };
}

/** The volumes that are there, in order. */
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

/** The log that a path is a later volume of, by its name; null where it is none. */
export function logOfVolume(path: string): string | null {
  const [, log] = /^(.+)\.\d{4,}$/.exec(path) ?? [];
  if (log === undefined) return null;
  return volumeFiles(log).some((file) => basename(file.path) === basename(path)) ? log : null;
}

function namesBeside(path: string): string[] {
  try {
    return readdirSync(dirname(resolve(path)));
  } catch {
    // The folder is not there, or may be entered and not listed.
    return [basename(path)];
  }
}
