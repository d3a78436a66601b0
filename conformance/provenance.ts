/**
 * How a recording was made: the kernel's build, QEMU's version and command line, and what the kernel
 * printed while it booted. A recording has it in its first line, beside the topology.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

export interface Provenance {
  /** The version of Debian's package, and a digest of the scripts that prepared the kernel. */
  readonly kernel: string;
  readonly qemu: string;
  /** QEMU's arguments; FOLDER stands for the folder of the run, KERNEL for that of the kernel. */
  readonly arguments: readonly string[];
  /** The lines of the console; one of them names the build of the kernel. */
  readonly console: readonly string[];
}

/** The provenance of what a guest answers: `kernel` and `folder` are where its files are. */
export function provenanceOf(kernel: string, folder: string, args: readonly string[]): Provenance {
  const { stdout } = spawnSync('qemu-system-x86_64', ['--version'], { encoding: 'utf8' });
  return {
    kernel: textOf(join(kernel, 'stamp')).trim(),
    qemu: stdout.split('\n')[0] ?? '',
    arguments: args.map((arg) => arg.replace(kernel, 'KERNEL').replace(folder, 'FOLDER')),
    console: consoleIn(folder),
  };
}

/** The lines of a guest's console so far that are not empty. */
export function consoleIn(folder: string): string[] {
  return stripVTControlCharacters(textOf(join(folder, 'console')))
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '');
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
