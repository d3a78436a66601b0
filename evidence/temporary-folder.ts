/**
 * Folders for temporary files, outside of the folder of the log. Their names cannot be guessed, and only
 * their owner can reach into them: so nobody else can put links or files there. The name also says which
 * process made the folder: a killed process leaves it behind.
 *
 * @module
 */
import { chmodSync, lstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasEnded, ownMark } from '../log/writing-process.ts';

/** vfio-ledger-NAMESPACE-PID-START-RANDOM: pids are those of a PID namespace, by its inode. */
const NAME = /^vfio-ledger-(\d+)-(\d+-\d+)-\w+$/;

/** Creates a new folder with mode 0700, whatever the umask, and returns its path. */
export function makeTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), `vfio-ledger-${pidNamespace()}-${ownMark()}-`));
  // A umask can take the owner's own permissions away; others never had any.
  chmodSync(folder, 0o700);
  return folder;
}

/** Removes the folders of this user whose processes were killed, as far as it can. */
export function clearTemporaryFolders(): void {
  const place = tmpdir();
  const own = pidNamespace();
  for (const name of attempt(() => readdirSync(place)) ?? []) {
    const [, namespace, mark] = NAME.exec(name) ?? [];
    // Whether a process of another namespace lives cannot be seen.
    if (mark === undefined || namespace !== own || !hasEnded(mark)) continue;
    const path = join(place, name);
    attempt(() => {
      if (isPrivate(path)) rmSync(path, { recursive: true, force: true });
    });
  }
}

/** Whether a path is a folder that only this user can reach into: nobody else can put links there. */
function isPrivate(path: string): boolean {
  const found = lstatSync(path);
  return found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0;
}

/** The inode of the PID namespace of this process; 0 where the system does not tell. */
function pidNamespace(): string {
  const link = attempt(() => readlinkSync('/proc/self/ns/pid'));
  return /\[(\d+)\]$/.exec(link ?? '')?.[1] ?? '0';
}

function attempt<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}
