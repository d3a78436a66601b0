/**
 * Drafts: a file is written under another name first, and renamed when it is complete.
 *
 * The name of a draft says which process writes it, so that the drafts of killed processes can be told
 * from those that are being written.
 *
 * @module
 */
import { closeSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPrivate } from './private-files.ts';
import { hasEnded, ownMark } from './writing-process.ts';

/** NAME.PID-START: the mark of the process that writes it. */
const DRAFT = /\.segment\.(\d+-\d+)$/;

/**
 * Puts a private file with this content in the place of the one at the path, if any. The draft is a new
 * file: nothing that lies under its name is written to. Throws the system's error.
 */
export function replaceFile(path: string, content: Uint8Array): void {
  const draft = `${path}.${ownMark()}`;
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
    const [, mark] = DRAFT.exec(name) ?? [];
    if (mark === undefined || !hasEnded(mark)) continue;
    rmSync(join(folder, name), { force: true, recursive: true });
  }
}
