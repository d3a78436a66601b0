/**
 * Drafts: a file is written under another name first, and renamed when it is complete.
 *
 * The name of a draft says which process writes it, so that the drafts of killed processes can be told
 * from those that are being written.
 *
 * @module
 */
import { closeSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPrivate } from './private-files.ts';

/** NAME.PID-START: the process that writes it, and when that started. */
const DRAFT = /\.segment\.(\d+)-(\d+)$/;

/**
 * Puts a private file with this content in the place of the one at the path, if any. The draft is a new
 * file: nothing that lies under its name is written to. Throws the system's error.
 */
export function replaceFile(path: string, content: Uint8Array): void {
  const draft = `${path}.${process.pid}-${startOf(process.pid) ?? 0}`;
  const descriptor = createPrivate(draft);
  try {
    try {
      writeFileSync(descriptor, content);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/**
 * Removes the drafts among the files of a folder whose processes have ended: another process may have
 * the pid by now. Throws the system's error.
 */
export function clearDrafts(folder: string, names: readonly string[]): void {
  for (const name of names) {
    const [, pid, start] = DRAFT.exec(name) ?? [];
    if (pid === undefined || startOf(Number(pid)) === start) continue;
    rmSync(join(folder, name), { force: true, recursive: true });
  }
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
