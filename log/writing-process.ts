/**
 * Which process writes a file, as a part of the file's name: so that what killed processes have left can
 * be told from what is being written.
 *
 * @module
 */
import { readFileSync } from 'node:fs';

/** PID-START of this process, the start in clock ticks since the boot of the host. */
export function ownMark(): string {
  return `${process.pid}-${startOf(process.pid) ?? 0}`;
}

/** Whether the process with a mark has ended: another one may have its pid by now. */
export function hasEnded(mark: string): boolean {
  const [pid, start] = mark.split('-');
  return startOf(Number(pid)) !== start;
}

/** When a process started, in clock ticks since the boot of the host; null if there is none. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the process, in parentheses, may contain anything (proc_pid_stat(5)).
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
