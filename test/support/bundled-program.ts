/**
 * Bundles the program once for all tests, as the package has it: it starts in half the time that a
 * checkout needs.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

const root = join(import.meta.dirname, '../..');

declare module 'vitest' {
  export interface ProvidedContext {
    /** The path of the bundled program, in a folder without any packages. */
    program: string;
    /** The path of the same program where it finds the packages of the checkout. */
    programWithPackages: string;
  }
}

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'vfio-ledger-program-'));
  const rolldown = join(root, 'node_modules/.bin/rolldown');
  const config = ['-c', 'build/rolldown.config.ts', '--configLoader', 'native'];
  const bare = join(folder, 'bare');
  execFileSync(rolldown, [...config, '-d', join(bare, 'dist'), '--log-level', 'silent'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (const part of ['bin', 'recorder', 'package.json']) {
    cpSync(join(root, part), join(bare, part), { recursive: true });
  }
  const whole = join(folder, 'whole');
  cpSync(bare, whole, { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(whole, 'node_modules'));
  project.provide('program', join(bare, 'dist/cli.js'));
  project.provide('programWithPackages', join(whole, 'dist/cli.js'));
  return () => rmSync(folder, { recursive: true });
}
