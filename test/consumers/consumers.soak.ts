/**
 * A stranger's project: the packed tarball with vitest, Jest, Playwright's runner and `node:test`.
 *
 * What it needs besides the tarball is in `package.json` here, and is installed with `npm install` in
 * this folder first. Nothing of the checkout is visible from where the project lies.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { root, runCommand } from '../cli/program.ts';
import { temporaryFolder } from '../log/folder.ts';

const project = temporaryFolder();
const modules = join(project, 'node_modules');
const tools = join(import.meta.dirname, 'node_modules');
const env = { PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter) };

const run = (args: readonly string[], others: Readonly<Record<string, string>> = {}) =>
  // Jest makes code from strings, which every test of this project is refused.
  runCommand(process.execPath, args, {
    cwd: project,
    env: { ...env, NODE_OPTIONS: '', FORCE_COLOR: '0', ...others },
  });

beforeAll(() => {
  const install = { cwd: import.meta.dirname, stdio: 'pipe' } as const;
  // `npm ci` fails: Vite names an optional package for Windows that the registry does not have.
  const words = ['install', '--no-save', '--no-audit', '--no-fund'];
  if (!existsSync(tools)) execFileSync('npm', words, install);
  cpSync(join(import.meta.dirname, 'project'), project, { recursive: true });
  mkdirSync(join(modules, 'vfio-ledger'), { recursive: true });
  for (const name of readdirSync(tools)) symlinkSync(join(tools, name), join(modules, name));
  for (const name of ['valibot', 'xstate', 'fast-check']) {
    symlinkSync(realpathSync(join(root, 'node_modules', name)), join(modules, name));
  }
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', project], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const tarball = join(project, packed.trim().split('\n').at(-1) ?? '');
  execFileSync('tar', [
    '-xzf',
    tarball,
    '--strip-components=1',
    '-C',
    join(modules, 'vfio-ledger'),
  ]);
});

const jest = ['--experimental-vm-modules', join(tools, 'jest/bin/jest.js'), '--ci'];

describe('every matcher, and the whole text of its failure', () => {
  test.each([
    ['vitest', [join(tools, 'vitest/vitest.mjs'), 'run', 'vitest/matchers.test.js']],
    ['Jest', jest],
    ["Playwright's runner", [join(tools, '@playwright/test/cli.js'), 'test']],
    ['node:test', ['--test', 'node/matchers.test.js']],
  ])('on %s', async (_runner, args) => {
    const { code, out, err } = await run(args);
    expect(code, `${out}${err}`).toBe(0);
  });
});

test.each(['vitest', 'jest', 'playwright', 'matchers', 'fast-check'])(
  'wrong keys, values and subjects are errors of the compiler: %s',
  async (name) => {
    const { code, out } = await run([
      join(tools, 'typescript/bin/tsc'),
      '-p',
      `types/tsconfig.${name}.json`,
    ]);
    expect(code, out).toBe(0);
  },
);

interface Reported {
  readonly title: string;
  readonly status: string;
  readonly failureMessages: readonly string[];
}

describe('the fixture', () => {
  const leaking = async () => {
    const file = join(project, 'leaks.json');
    const args = [join(tools, 'vitest/vitest.mjs'), 'run', '--config', 'leaks.config.js'];
    const { code } = await run([...args, '--reporter=json', `--outputFile=${file}`]);
    const { testResults } = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly testResults: readonly { readonly assertionResults: readonly Reported[] }[];
    };
    const all = testResults.flatMap(({ assertionResults }) => assertionResults);
    return { code, tests: new Map(all.map((one) => [one.title, one])) };
  };

  test('names the test that leaks, beside what else failed, and keeps its log', async () => {
    const { code, tests } = await leaking();
    expect(code).toBe(1);
    const failed = [...tests.values()].filter(({ status }) => status === 'failed');
    expect(failed.map(({ title }) => title)).toEqual([
      'leaks a device',
      'leaks beside others 1',
      'leaks beside others 3',
      'fails and leaks',
      'fails and releases',
      'leaks at every try',
    ]);
    const [message = ''] = tests.get('leaks a device')?.failureMessages ?? [];
    expect(message).toContain('The test did not release everything that it opened');
    expect(message).toContain('device 0000:3b:00.0 (group 26), file f');
    const [, log = ''] = /--log (\S+\.ledger)/.exec(message) ?? [];
    expect(log).toMatch(/leaks-a-device\.ledger$/);
    // The kept file is a complete ledger: the printed command works, and so do other verbs.
    const program = join(modules, 'vfio-ledger/bin/vfio-ledger.js');
    const [, asked = ''] = /npx vfio-ledger (.*) --log/.exec(message) ?? [];
    for (const words of [asked.split(' '), ['why', 'gpu'], ['replay', '--profile', 'linux-6.12']]) {
      const { code: exit, err } = await run([program, ...words, '--log', log]);
      expect({ words, exit, err }).toEqual({ words, exit: 0, err: '' });
    }
    const both = tests.get('fails and leaks')?.failureMessages ?? [];
    expect(both).toHaveLength(2);
    expect(both[0]).toContain('the body has failed');
    expect(both[1]).toContain('The test did not release everything');
    expect(tests.get('fails and releases')?.failureMessages).toHaveLength(1);
    expect(tests.get('leaks at every try')?.failureMessages).toHaveLength(3);
  });
});

describe('the examples', () => {
  const runExample = async (name: string) => {
    const examples = join(project, 'examples');
    cpSync(join(modules, 'vfio-ledger/examples'), examples, { recursive: true });
    return run([join(tools, 'vitest/vitest.mjs'), 'run', '--root', examples, name]);
  };

  test('a race of two VMs is replayed', async () => {
    const { code, out, err } = await runExample('two-vms.test.js');
    expect(code, `${out}${err}`).toBe(0);
  });

  test('the test that leaks a device says what README shows', async () => {
    const { code, err: coloured } = await runExample('leaked-device.test.js');
    expect(code).toBe(1);
    const err = stripVTControlCharacters(coloured);
    expect(err).toContain('FAIL  leaked-device.test.js > gives the device to a guest');
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const [, shown = ''] = /```text\n([^]*?)```/.exec(readme) ?? [];
    expect(shown).toContain('toReleaseEverything');
    const told = err.replace(/--log \S+\/(\S+\.ledger)/, '--log $1');
    expect(told).toContain(shown.trimEnd());
  });
});

test('two entries in one process', async () => {
  const { code, out, err } = await run([...jest, '--testMatch', '<rootDir>/jest/two-entries.js']);
  expect(code, `${out}${err}`).toBe(0);
});

test('a property of any host fails with a scenario', async () => {
  const { code, out, err } = await run(['--test', 'node/property.test.js'], { TMPDIR: project });
  expect(code, `${out}${err}`).toBe(0);
});

/** The files that an entry loads. */
const loadedBy = async (entry: string) => {
  const args = ['--import', './loaded.mjs', '--input-type=module', '-e'];
  const { err } = await run([...args, `await import('vfio-ledger/${entry}');`]);
  expect(err).toContain(`/vfio-ledger/dist/${entry}`);
  return err;
};

test('an entry loads no importer', async () => {
  expect(await loadedBy('matchers')).not.toMatch(/importers|\/ledger(\.js|-(?!error))|sqlite/);
  expect(await loadedBy('fast-check')).not.toMatch(/importers|\/ledger\.js/);
});
