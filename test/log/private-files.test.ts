import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { makePrivateFolder, writePrivate } from '../../log/private-files.ts';
import { openSqliteStore } from '../../log/sqlite.ts';
import { main, root as checkout, runCommand } from '../cli/program.ts';
import { asAnybody } from '../support/as-anybody.ts';
import { newFolderIn, temporaryFolder } from './folder.ts';
import { closedMany } from './sample.ts';

const root = temporaryFolder();
const newFolder = () => newFolderIn(root);

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

/** The mode of everything below a folder. */
function modesIn(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
  return Object.fromEntries(names.map((name) => [name, modeOf(join(folder, name))]));
}

const writer = fileURLToPath(new URL('private-files-writer.ts', import.meta.url));

/** Runs a program with a umask, as somebody whom the kernel keeps out of files. */
function runWith(
  umask: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const [command, words] = asAnybody(process.execPath, args);
  const script = ['-c', `umask ${umask}; exec "$0" "$@"`, command, ...words];
  // Nobody could read what it would cache.
  const uncached = umask === '0777' && { NODE_DISABLE_COMPILE_CACHE: '1' };
  return runCommand('sh', script, { env: { ...env, ...uncached } });
}

describe.each(['000', '022', '077', '0777'])('with umask %s', (umask) => {
  test('only their owner can read a log, its index and its companions', async () => {
    const folder = newFolder();
    const { code, out, err } = await runWith(umask, [writer, folder]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const [inUse, sealed] = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    const names = ['log.ledger', 'log.ledger-shm', 'log.ledger-wal'];
    expect(Object.keys(inUse!)).toEqual(expect.arrayContaining(names));
    expect(Object.keys(sealed!)).toEqual(expect.arrayContaining(['log.ledger.0002', 'report']));
    for (const [name, mode] of Object.entries({ ...inUse, ...sealed })) {
      const isFolder = /\.index(\/[\da-f]{16})?$|^deep/.test(name);
      expect([name, mode]).toEqual([name, isFolder ? '700' : '600']);
    }
  });
});

test('so is the default log of a user, and its folder', async () => {
  const folder = newFolder();
  const evidence = join(checkout, 'examples/incident.truth.jsonl');
  const env = { XDG_STATE_HOME: join(folder, 'deep/state') };
  const { code, err } = await runWith('000', [main, 'import', evidence], env);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(modesIn(folder)).toEqual({
    deep: '700',
    'deep/state': '700',
    'deep/state/vfio-ledger': '700',
    'deep/state/vfio-ledger/log.ledger': '600',
  });
});

test('what exists keeps its mode', async () => {
  const folder = newFolder();
  const log = join(folder, 'log.ledger');
  await openSqliteStore(log).close();
  chmodSync(log, 0o640);
  mkdirSync(`${log}.index`);
  chmodSync(`${log}.index`, 0o750);
  const report = join(folder, 'report');
  writeFileSync(report, 'before, and longer');
  chmodSync(report, 0o644);
  const store = openSqliteStore(log);
  await store.append('host', -1, closedMany(2));
  expect([modeOf(log), modeOf(`${log}-wal`), modeOf(`${log}-shm`)]).toEqual(['640', '640', '640']);
  await store.close();
  makePrivateFolder(`${log}.index`);
  writePrivate(report, 'after');
  expect(readFileSync(report, 'utf8')).toBe('after');
  expect(modesIn(folder)).toEqual({
    'log.ledger': '640',
    'log.ledger.index': '750',
    report: '644',
  });
});

test('a log is created where a symbolic link leads to', async () => {
  const folder = newFolder();
  symlinkSync('real', join(folder, 'link'));
  symlinkSync('link', join(folder, 'other'));
  const store = openSqliteStore(join(folder, 'other'));
  await store.append('host', -1, closedMany(2));
  await store.close();
  expect(modesIn(folder)).toEqual({ link: '600', other: '600', real: '600' });
});

test('a report is written to a device or a pipe as well', () => {
  const program = `
    import { writePrivate } from '${new URL('../../log/private-files.ts', import.meta.url).href}';
    writePrivate('/dev/stdout', 'a report');`;
  const args = ['-c', '"$0" --input-type=module -e "$1" | cat', process.execPath, program];
  const { stdout } = spawnSync('sh', args);
  expect(stdout.toString()).toBe('a report');
});

test('below a link that leads nowhere there is no folder', () => {
  const folder = newFolder();
  symlinkSync('nowhere', join(folder, 'link'));
  expect(() => makePrivateFolder(join(folder, 'link/a/b'))).toThrow('ENOENT');
  expect(existsSync(join(folder, 'nowhere'))).toBe(false);
});
