/**
 * The version of the rules: a digest of the code that judges events and writes the time index.
 *
 * A version number that is raised by hand would be forgotten one day.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The code that decides what an event changes, and how segments record it. */
const folders = ['events', 'operations', 'processes', 'machines', 'projections'];

/**
 * 16 hex digits, which change with any line of the code. Null if the code is not in its folders, as
 * in a bundle. Computed when the code is loaded: later the files may be those of another version.
 */
export const rulesVersion: string | null = versionHere();

function versionHere(): string | null {
  try {
    return digestOf(join(import.meta.dirname, '..'));
  } catch {
    return null;
  }
}

/** The version of the code in a folder. */
export function digestOf(root: string): string {
  const digested = createHash('sha256');
  for (const folder of folders) {
    const path = join(root, folder);
    const names = readdirSync(path, { recursive: true, encoding: 'utf8' });
    for (const name of names.filter((file) => /(?<!\.d)\.[jt]s$/.test(file)).sort()) {
      digested.update(`${folder}/${name}\n`).update(readFileSync(join(path, name)));
    }
  }
  return digested.digest('hex').slice(0, 16);
}
