/**
 * Which rules judged: a digest of the code that has a part in it.
 *
 * A number to be raised by hand would be forgotten once; the code itself cannot be.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What decides what an event changes, and how that is written down. */
const folders = ['events', 'operations', 'processes', 'machines', 'projections'];

/**
 * 16 hex digits; other ones as soon as any line of the code is another. Null where the code does not
 * lie in its folders, as in a bundle. Taken when the code is loaded: later it may be another's.
 */
export const rulesVersion: string | null = versionHere();

function versionHere(): string | null {
  try {
    return digestOf(join(import.meta.dirname, '..'));
  } catch {
    return null;
  }
}

/** The version of the code below a folder. */
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
