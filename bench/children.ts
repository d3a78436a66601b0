/**
 * Tasks in a process of their own: nothing is compiled yet, nothing read, no memory used.
 *
 * @module
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Task } from './child.ts';

export interface Done {
  /** From the start of the process to its end, as its parent saw it. */
  readonly seconds: number;
  /** Of the task alone. */
  readonly inside: number;
  /** The most memory that the process had, in MB. */
  readonly megabytes: number;
  /** What the task gives back. */
  readonly values: readonly number[];
}

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));

export function inChild(task: Task, ...words: readonly (string | number)[]): Done {
  const start = performance.now();
  const text = execFileSync(process.execPath, [CHILD, task, ...words.map(String)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 28,
  });
  const seconds = (performance.now() - start) / 1000;
  return { seconds, ...(JSON.parse(text) as Omit<Done, 'seconds'>) };
}

/** As `inChild`, while others run, and for what the task leaves behind alone. */
export async function besidesInChild(
  task: Task,
  ...words: readonly (string | number)[]
): Promise<void> {
  const args = [CHILD, task, ...words.map(String)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${task} ${words.join(' ')} ended with ${code}`);
}
