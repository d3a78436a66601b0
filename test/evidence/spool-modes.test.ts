import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommand } from '../cli/program.ts';
import { temporaryFolder } from '../log/folder.ts';
import { asAnybody } from '../support/as-anybody.ts';

const root = temporaryFolder();

/** Puts more events into a spool than it keeps in memory, and prints the modes of its files. */
const program = `
import { readdirSync, statSync } from 'node:fs';
import { Spool } from '${new URL('../../evidence/spool.ts', import.meta.url).href}';
const folder = process.env.TMPDIR;
const spool = new Spool();
const event = { id: '1', time: null, type: 'descriptor.closed', data: { pid: 1, fd: 3 } };
for (let count = 0; count < 70_000; count++) await spool.add(event, false);
const names = readdirSync(folder, { recursive: true });
console.log(names.map((name) => (statSync(folder + '/' + name).mode & 0o777).toString(8)).join());
let read = 0;
for await (const batch of spool.batches()) read += batch.length;
console.log(read, readdirSync(folder).length);`;

test.each(['000', '777'])('with umask %s only its owner can read a spool', async (umask) => {
  const folder = join(root, umask);
  mkdirSync(folder);
  const [command, args] = asAnybody(process.execPath, ['--input-type=module', '-e', program]);
  const script = ['-c', `umask ${umask}; exec "$0" "$@"`, command, ...args];
  const env = { TMPDIR: folder, NODE_DISABLE_COMPILE_CACHE: '1' };
  const { code, out, err } = await runCommand('sh', script, { env });
  expect({ code, out, err }).toEqual({ code: 0, out: '700,600\n70000 0\n', err: '' });
  expect(readdirSync(folder)).toEqual([]);
});
