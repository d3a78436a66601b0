import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { loadedBy, main, root, run, runCommand } from './program.ts';

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

test('a verb is loaded when it is asked for, and nothing else for the version', async () => {
  const namesOf = (files: readonly string[]) => files.map((file) => relative(root, file));
  const version = namesOf(await loadedBy(main, '--version'));
  expect(version).toContain('cli/verbs.ts');
  expect(version.filter((file) => !/^(cli|words)\//.test(file))).toEqual([
    'events/ledger-error.ts',
  ]);
  expect(version.filter((file) => /\/(table|why|verb)\.ts$/.test(file))).toEqual([]);
  const causes = namesOf(await loadedBy(main, 'causes'));
  expect(causes).toContain('cli/causes.ts');
  expect(causes).not.toContain('cli/table.ts');
});
