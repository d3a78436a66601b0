import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../log/folder.ts';
import { checkout, loadedBy, root, run, runCommand } from './program.ts';

const folder = temporaryFolder();

test('help is asked for in three ways, and names what the verb takes', async () => {
  const [asOption, asLetter, asVerb] = await Promise.all([
    run(['why', '--help']),
    run(['why', '-h']),
    run(['help', 'why']),
  ]);
  expect(asOption).toMatchObject({ code: 0, err: '' });
  expect(asOption.out).toMatch(/^vfio-ledger why POSITION\|SUBJECT \[--at WHEN\]\n/);
  expect(asOption.out).toMatch(/^ {2}--log LOG {2,}\S/m);
  expect(asLetter).toEqual(asOption);
  expect(asVerb).toEqual(asOption);
});

test('the version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect((await run(['--version'])).out).toBe(`${version}\n`);
});

test('the launcher starts the program and passes on its exit code', async () => {
  const launcher = join(root, 'bin/vfio-ledger.js');
  const found = await runCommand(process.execPath, [launcher, 'why']);
  expect(found).toMatchObject({ code: 2, err: expect.stringMatching(/^vfio-ledger: why: an op/) });
});

test('compiled code is kept where only this user can write, else not at all', async () => {
  const [cache, temporary] = [join(folder, 'cache'), join(folder, 'temporary')];
  mkdirSync(temporary);
  const env = { XDG_CACHE_HOME: cache, TMPDIR: temporary, NODE_COMPILE_CACHE: '' };
  const start = () =>
    runCommand(process.execPath, [join(root, 'bin/vfio-ledger.js'), '--version'], { env });
  const own = join(cache, 'vfio-ledger');
  expect(await start()).toMatchObject({ code: 0, err: '' });
  expect(readdirSync(own)).not.toEqual([]);
  expect(statSync(own).mode & 0o777).toBe(0o700);
  rmSync(own, { recursive: true });
  mkdirSync(own);
  chmodSync(own, 0o777);
  expect(await start()).toMatchObject({ code: 0, err: '' });
  expect(readdirSync(own)).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
});

test('a verb is loaded when it is asked for, and nothing else for the version', async () => {
  const namesOf = (files: readonly string[]) => files.map((file) => relative(root, file));
  const version = namesOf(await loadedBy(checkout, '--version'));
  expect(version).toContain('cli/verbs.ts');
  expect(version.filter((file) => !/^(cli|words)\//.test(file))).toEqual([
    'events/ledger-error.ts',
  ]);
  expect(version.filter((file) => /\/(table|why|verb)\.ts$/.test(file))).toEqual([]);
  const causes = namesOf(await loadedBy(checkout, 'causes'));
  expect(causes).toContain('cli/causes.ts');
  expect(causes).not.toContain('cli/table.ts');
});
