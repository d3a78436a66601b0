/**
 * What a run needs of the machine, and how to get it. Nothing is installed from here.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

export interface Requirement {
  readonly what: string;
  /** The command that gets it, on Debian. */
  readonly how: string;
}

/** Where kernels are prepared and the agent is compiled. */
export function cacheFolder(): string {
  const chosen = process.env['VFIO_LEDGER_CONFORMANCE_CACHE'];
  return chosen === undefined || chosen === '' ? join(import.meta.dirname, '.cache') : chosen;
}

/** Where the kernel of a profile lies once it is prepared. */
export function kernelFolder(profile: string): string {
  return join(cacheFolder(), 'kernels', profile);
}

/** What is missing for a run with the kernels of these profiles. */
export function missing(profiles: readonly string[]): Requirement[] {
  const tools = [
    {
      isThere: runs('qemu-system-x86_64', '--version'),
      what: 'qemu-system-x86_64',
      how: 'apt-get install --no-install-recommends qemu-system-x86',
    },
    {
      isThere: hasStaticLibrary(),
      what: 'gcc with a static C library',
      how: 'apt-get install --no-install-recommends gcc libc6-dev',
    },
  ];
  const kernels = profiles.map((profile) => ({
    isThere: existsSync(join(kernelFolder(profile), 'vmlinuz')),
    what: `the kernel of ${profile}`,
    how: `conformance/kernels/prepare.sh ${profile}`,
  }));
  return [...tools, ...kernels]
    .filter(({ isThere }) => !isThere)
    .map(({ what, how }) => ({ what, how }));
}

function runs(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** gcc names a library by its path where it has one, and by its bare name where not. */
function hasStaticLibrary(): boolean {
  const { stdout } = spawnSync('gcc', ['-print-file-name=libc.a'], { encoding: 'utf8' });
  return typeof stdout === 'string' && isAbsolute(stdout.trim());
}
