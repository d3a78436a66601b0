/**
 * What the guest finds in its memory when it starts: the agent as its only program, the modules to
 * load, and the devices of the host that it is. A cpio archive in the `newc` format.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deviceList, type EmulatedHost } from './host.ts';

/** A file, or a folder where there is no content. */
export interface ArchiveEntry {
  readonly path: string;
  readonly content: Buffer | null;
}

const FOLDER = 0o040755;
const FILE = 0o100755;

export const folder = (path: string): ArchiveEntry => ({ path, content: null });
const text = (path: string, content: string): ArchiveEntry => ({
  path,
  content: Buffer.from(content),
});

/**
 * The archive for a kernel, as prepared in a folder, on a host, with what else is to be there. Not
 * compressed: that takes longer.
 */
export function initramfs(
  agent: string,
  kernel: string,
  host: EmulatedHost,
  more: readonly ArchiveEntry[] = [],
): Buffer {
  const modules = readFileSync(join(kernel, 'modules.list'), 'utf8');
  return archive([
    ...['dev', 'etc', 'modules', 'proc', 'sys', 'tmp'].map(folder),
    { path: 'init', content: readFileSync(agent) },
    text('etc/devices', deviceList(host)),
    text('modules/list', modules),
    ...modules
      .split(/\s+/)
      .filter((name) => name !== '')
      .map((name) => ({
        path: `modules/${name}`,
        content: readFileSync(join(kernel, 'modules', name)),
      })),
    ...more,
  ]);
}

function archive(entries: readonly ArchiveEntry[]): Buffer {
  const parts = entries.flatMap(({ path, content }, index) =>
    member(path, index + 1, content === null ? FOLDER : FILE, content ?? Buffer.alloc(0)),
  );
  return Buffer.concat([...parts, ...member('TRAILER!!!', 0, 0, Buffer.alloc(0))]);
}

/** A header of thirteen numbers, the name, the content; name and content end on four bytes. */
function member(path: string, inode: number, mode: number, content: Buffer): Buffer[] {
  const name = `${path}\0`;
  const header = [
    { inode, mode, user: 0, group: 0, links: 1, time: 0, size: content.length },
    { major: 0, minor: 0, deviceMajor: 0, deviceMinor: 0, nameSize: name.length, check: 0 },
  ].flatMap((numbers) => Object.values(numbers));
  const digits = header.map((number) => number.toString(16).padStart(8, '0'));
  return [padded(Buffer.from(`070701${digits.join('')}${name}`)), padded(content)];
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
