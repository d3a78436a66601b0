/**
 * What a guest has beside the agent for a recorder to run in it: a shell, the script; and where the
 * program is to run, that as it is published, with its dependencies and Node.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { folder, type ArchiveEntry } from '../initramfs.ts';
import { busybox } from './requirements.ts';

/** What records, the script by itself or the program, by what comes of it. */
export type Mode = 'trace' | 'log';

const root = join(import.meta.dirname, '../..');

/** The files of a mode, each folder before what is in it. */
export function overlay(mode: Mode): ArchiveEntry[] {
  const script = join(root, 'recorder', 'ftrace.sh');
  const shell = [
    file('recorder/busybox', busybox()),
    file('recorder/start', join(import.meta.dirname, 'start.sh')),
    file('recorder/ftrace.sh', script),
  ];
  const program = mode === 'log' ? [...node(process.execPath), ...publishedPackage()] : [];
  return withFolders([folder('bin'), ...shell, ...program]);
}

function file(path: string, from: string): ArchiveEntry {
  return { path, content: readFileSync(from) };
}

/** A program that is Node, and the libraries that it is linked against. */
function node(program: string): ArchiveEntry[] {
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
  return [file('bin/node', program), ...librariesIn(stdout).map((path) => file(path, path))];
}

/** The files that `ldd` names: `NAME => PATH (ADDRESS)`, and the loader as `PATH (ADDRESS)`. */
export function librariesIn(listing: string): string[] {
  return [...listing.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x[\da-f]+\)$/gm)].map(
    ([, path = '']) => path,
  );
}

/** The program, compiled, in /package. */
function publishedPackage(): ArchiveEntry[] {
  const compiled = mkdtempSync(join(tmpdir(), 'vfio-ledger-compiled-'));
  try {
    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    const args = ['-p', join(root, 'tsconfig.build.json'), '--outDir', compiled];
    const { status, stdout } = spawnSync(tsc, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`it does not compile:\n${stdout}`);
    return [
      file('package/package.json', join(root, 'package.json')),
      ...tree('package/bin', join(root, 'bin')),
      ...tree('package/recorder', join(root, 'recorder'), /\.(?:bt|sh|service)$/),
      ...tree('package/dist', compiled, /\.js$/),
      ...dependencies(root).flatMap((name) =>
        tree(`package/node_modules/${name}`, packageFolder(name), /\.(?:[cm]?js|json)$/),
      ),
    ];
  } finally {
    rmSync(compiled, { recursive: true, force: true });
  }
}

/** The packages that one depends on, and those that these depend on. */
function dependencies(of: string): string[] {
  const text = readFileSync(join(of, 'package.json'), 'utf8');
  const { dependencies: own = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
  return Object.keys(own).flatMap((name) => [name, ...dependencies(packageFolder(name))]);
}

function packageFolder(name: string): string {
  return join(root, 'node_modules', name);
}

/** The files below a folder whose names match. */
function tree(path: string, from: string, names = /./): ArchiveEntry[] {
  return readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && names.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted()
    .map((found) => file(join(path, relative(from, found)), found));
}

/** Entries after all folders that they are in; paths are without the first slash. */
export function withFolders(entries: readonly ArchiveEntry[]): ArchiveEntry[] {
  const known = new Set<string>();
  return entries.flatMap(({ path, content }) => {
    const name = path.replace(/^\//, '');
    const steps = name.split('/').slice(0, -1);
    const above = steps.map((_, index) => steps.slice(0, index + 1).join('/'));
    const fresh = above.filter((step) => !known.has(step));
    for (const step of [...fresh, name]) known.add(step);
    return [...fresh.map(folder), { path: name, content }];
  });
}
