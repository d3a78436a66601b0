/**
 * Programs of the machine, and those that come with this one.
 *
 * @module
 */
import { accessSync, constants, statSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import type { Io } from './verb.ts';

/** Where a command lies, as a shell would find it; null where there is none that can be run. */
export function programNamed(name: string, env: Io['env']): string | null {
  const folders = name.includes('/') ? [null] : (env['PATH'] ?? '').split(delimiter);
  const paths = folders.map((folder) => (folder === null ? name : join(folder || '.', name)));
  return paths.find(isProgram) ?? null;
}

/** A file of `recorder/`. */
export function recorderFile(name: string): string {
  return join(dirname(findPackageJSON(import.meta.url) ?? ''), 'recorder', name);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
