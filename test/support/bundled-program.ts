/**
 * Bundles the program once for all tests, as the package has it: it starts in half the time that a
 * checkout needs.
 *
 * @module
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import type { TestProject } from 'vitest/node';
import config from '../../build/rolldown.config.ts';

const root = join(import.meta.dirname, '../..');

declare module 'vitest' {
  export interface ProvidedContext {
    /** The path of the bundled program. */
    program: string;
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'vfio-ledger-program-'));
  const bundle = await rolldown(config);
  await bundle.write({ dir: join(folder, 'dist') });
  await bundle.close();
  for (const part of ['bin', 'recorder', 'package.json']) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  project.provide('program', join(folder, 'dist/cli.js'));
  return () => rmSync(folder, { recursive: true });
}
