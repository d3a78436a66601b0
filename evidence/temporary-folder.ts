/**
 * Folders for temporary files, outside of the folder of the log. Their names cannot be guessed, and only
 * their owner can reach into them: so nobody else can put links or files there.
 *
 * @module
 */
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Creates a new folder with mode 0700, whatever the umask, and returns its path. */
export function makeTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vfio-ledger-'));
  // A umask can take the owner's own permissions away; others never had any.
  chmodSync(folder, 0o700);
  return folder;
}
