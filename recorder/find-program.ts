/**
 * Finds an executable in `$PATH`, as a shell does.
 *
 * @module
 */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The path of an executable file: a name with a slash is a path itself. Null if there is none. */
export function findProgram(name: string, env: Environment): string | null {
  const folders = name.includes('/') ? [null] : (env['PATH'] ?? '').split(delimiter);
  const paths = folders.map((folder) => (folder === null ? name : join(folder || '.', name)));
  return paths.find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
