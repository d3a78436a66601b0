/**
 * Bundles the code of the package. The library and the command line are entries of one bundle, so that
 * they share classes and rules; each verb is a part that is loaded when it is called.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';
import { bundledPage } from './page.ts';

const root = join(import.meta.dirname, '..');

/** Modules that are evaluated in the checkout. The package has the values of their exports. */
const evaluated = new Set([
  'ledger/rules-version.ts',
  'cli/summaries.ts',
  'exports/page-script.ts',
]);

const values: Plugin = {
  name: 'values',
  async load(id) {
    if (!evaluated.has(relative(root, id))) return null;
    const module = (await import(id)) as Record<string, unknown>;
    return Object.entries(module)
      .filter(([, value]) => typeof value !== 'function')
      .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`)
      .join('');
  },
};

/** Writes `dist/LICENSES.md`: the licence of every package whose code is in the bundle or in the page. */
const licences: Plugin = {
  name: 'licences',
  async generateBundle() {
    const folders = new Set<string>();
    const { modules } = await bundledPage();
    for (const id of [...this.getModuleIds(), ...modules]) {
      const [folder] = /^.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(id) ?? [];
      if (folder !== undefined) folders.add(folder);
    }
    const source = [...folders].map(licenceOf).join('\n');
    this.emitFile({ type: 'asset', fileName: 'LICENSES.md', source });
  },
};

function licenceOf(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
  };
  const file = ['LICENSE', 'LICENSE.md'].map((path) => join(folder, path)).find(existsSync);
  if (file === undefined) throw new Error(`${name}: no LICENSE to put into the package`);
  return `# ${name} ${version}\n\n${readFileSync(file, 'utf8')}`;
}

/**
 * The parts that a start loads: each has the modules named here and all that these import, but for what
 * is in a part above it. A verb that reads a log loads these four and its own, and not thirty.
 */
const parts = Object.entries({
  help: ['cli/failure', 'cli/help', 'cli/output', 'cli/paint', 'cli/progress'],
  matchers: ['testing/matchers'],
  core: ['ledger'],
  reading: ['cli/log-file', 'cli/verb'],
}).map(([name, modules], index, { length }) => ({
  name,
  test: (id: string) => modules.includes(relative(root, id).replace(/\.ts$/, '')),
  priority: length - index,
}));

export default defineConfig({
  cwd: root,
  input: {
    ledger: 'ledger.ts',
    cli: 'cli/main.ts',
    'virtual-host': 'virtual-host/virtual-host.ts',
    'fast-check': 'arbitraries/fast-check.ts',
    recorder: 'recorder/recorder.ts',
    vitest: 'testing/vitest.ts',
    'jest-globals': 'testing/jest-globals.ts',
    playwright: 'testing/playwright.ts',
    matchers: 'testing/matchers.ts',
  },
  platform: 'node',
  // Without `development`, a condition under which XState is slower.
  resolve: { conditionNames: ['module', 'node', 'import'] },
  // The first stays a file that an older Node can read; the others are the project's own.
  external: [
    '#supported-node',
    'vitest',
    '@jest/globals',
    '@playwright/test',
    'fast-check',
    /^@nats-io\//,
    '@eventstore/db-client',
    '@kurrent/kurrentdb-client',
  ],
  plugins: [values, licences],
  output: {
    dir: 'dist',
    // The types have the comments of the interface; a start would read them in vain.
    comments: { jsdoc: false },
    codeSplitting: { groups: parts },
    // An entry may import another part before the one that `ledger.ts` is in: its order is lost.
    banner: ({ isEntry }) => (isEntry ? 'import "#supported-node";' : ''),
  },
});
