import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../log/folder.ts';
import { main, root, run, runCommand } from './program.ts';

const folder = temporaryFolder();

/** The verbs that the overview lists. */
const verbsIn = (overview: string) => {
  const [, list = ''] = /^Verbs .*\n((?: {2}\w.*\n)+)/m.exec(overview) ?? [];
  return [...list.matchAll(/^ {2}(\w+)/gm)].map(([, name = '']) => name);
};

/** Whether what an example needs is on this machine. */
const hasStrace = spawnSync('strace', ['-V']).error === undefined;
const canRun = (example: string) => hasStrace || !example.startsWith('vfio-ledger run ');

/** The lines of a help text that are to be run. */
const examplesIn = (help: string) => {
  const [, list = ''] = /^Examples?.*:\n((?: {2}.*\n)+)/m.exec(help) ?? [];
  return list
    .trimEnd()
    .split('\n')
    .map((line) => line.trim());
};

test('every example of every help text works as it stands', async () => {
  symlinkSync(join(root, 'examples'), join(folder, 'examples'));
  mkdirSync(join(folder, 'bin'));
  const command = join(folder, 'bin', 'vfio-ledger');
  writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`);
  chmodSync(command, 0o755);
  const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}` };

  const { out: overview } = await run(['--help']);
  const verbs = verbsIn(overview);
  expect(verbs).toContain('why');
  const helps = await Promise.all(verbs.map(async (verb) => (await run([verb, '--help'])).out));
  const runAll = async (help: string) => {
    const examples = examplesIn(help);
    expect(examples).not.toEqual(['']);
    for (const example of examples.filter(canRun)) {
      const { code, out, err } = await runCommand('sh', ['-c', example], { cwd: folder, env });
      expect({ example, code, err }).toEqual({ example, code: 0, err: '' });
      expect(out !== '' || example.includes('>')).toBe(true);
    }
  };
  // The overview makes the log that the others read.
  await runAll(overview);
  await Promise.all(helps.map(runAll));
});

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
