/**
 * The benchmark as a process, on short logs.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
export const benchFolder = join(root, 'bench');

/** What it prints, with temporary files in a folder. */
export function bench(dir: string, ...args: string[]): string {
  const words = ['bench/main.ts', '--quick', '--dir', dir, ...args];
  return execFileSync(process.execPath, words, { cwd: root, encoding: 'utf8', stdio: 'pipe' });
}
