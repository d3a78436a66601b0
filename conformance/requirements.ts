/**
 * What a run needs of the machine, and how to get it. Nothing is installed from here.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

export interface Requirement {
  readonly what: string;
  /** The command that gets it, on Debian; what it needs in turn follows, as comments. */
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
    isThere: isPrepared(kernelFolder(profile)),
    what: `the kernel of ${profile}`,
    how: [
      `conformance/kernels/prepare.sh ${profile}`,
      '# It needs make, binutils and xz-utils, and apt has to see the series. For that, as root:',
      '# conformance/kernels/add-suites.sh',
    ].join('\n'),
  }));
  return [...tools, ...kernels]
    .filter(({ isThere }) => !isThere)
    .map(({ what, how }) => ({ what, how }));
}

/** Whether all is there that a guest starts from: the kernel, the list of modules, and these. */
function isPrepared(folder: string): boolean {
  const list = join(folder, 'modules.list');
  if (!existsSync(join(folder, 'vmlinuz')) || !existsSync(list)) return false;
  const modules = readFileSync(list, 'utf8').split(/\s+/);
  return modules.every((name) => existsSync(join(folder, 'modules', name)));
}

function runs(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** gcc names a library by its path where it has one, and by its bare name where not. */
function hasStaticLibrary(): boolean {
  const { stdout } = spawnSync('gcc', ['-print-file-name=libc.a'], { encoding: 'utf8' });
  return typeof stdout === 'string' && isAbsolute(stdout.trim());
}
