/**
 * The processes that run on this host, read from `/proc`.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface RunningProcess {
  readonly pid: number;
  readonly comm: string;
}

/** The pid of each process, those that have ended and were not waited for included. */
export function pids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/**
 * Name and tracer of a running process; `tracer` is 0 if it is not traced. Null if the process has
 * ended, never was, or is a thread of another.
 */
export function statusOf(pid: number): { readonly comm: string; readonly tracer: number } | null {
  const status = textOf(`/proc/${pid}/status`);
  const field = (name: string) => new RegExp(`^${name}:\\t(.*)$`, 'm').exec(status)?.[1] ?? '';
  if (Number(field('Tgid')) !== pid || /^[ZX]/.test(field('State'))) return null;
  return { comm: field('Name'), tracer: Number(field('TracerPid')) };
}

/** The content of a file of `/proc`; empty if it cannot be read. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
