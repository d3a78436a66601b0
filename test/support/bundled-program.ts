/**
 * Bundles the program once for all tests, as the package has it: it starts in half the time that a
 * checkout needs.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

const root = join(import.meta.dirname, '../..');

declare module 'vitest' {
  export interface ProvidedContext {
    /** The path of the bundled program. */
    program: string;
  }
}

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'vfio-ledger-program-'));
  const rolldown = join(root, 'node_modules/.bin/rolldown');
  const config = ['-c', 'build/rolldown.config.ts', '--configLoader', 'native'];
  execFileSync(rolldown, [...config, '-d', join(folder, 'dist'), '--log-level', 'silent'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (const part of ['bin', 'recorder', 'package.json']) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  project.provide('program', join(folder, 'dist/cli.js'));
  return () => rmSync(folder, { recursive: true });
}
