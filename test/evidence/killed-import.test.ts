import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openLedger } from '../../ledger.ts';
import { runCommand } from '../cli/program.ts';
import { temporaryFolder } from '../log/folder.ts';

const place = temporaryFolder();

/** Puts more text into a spool than it keeps in memory, and is killed. */
const killed = `
import { Spool } from '${new URL('../../evidence/spool.ts', import.meta.url).href}';
const spool = new Spool();
const data = { pid: 1, comm: 'x'.repeat(1e6), cgroup: null };
const event = { id: '1', time: null, type: 'process.started', data };
for (let count = 0; count < 20; count++) await spool.add(event, false);
process.kill(process.pid, 'SIGKILL');`;

test('what killed imports leave is removed by the next import, and nothing else is', async () => {
  const env = { TMPDIR: place };
  const script = ['--input-type=module', '-e', killed];
  expect(await runCommand(process.execPath, script, { env })).toMatchObject({ code: null });
  const [left = ''] = readdirSync(place);
  expect(left).toMatch(/^vfio-ledger-\d+-\d+-\d+-\w+$/);
  expect(readdirSync(join(place, left))).toEqual(['events']);

  const [, , namespace, pid, start] = left.split('-');
  const other = `vfio-ledger-${Number(namespace) + 1}-${pid}-${start}-abcdef`;
  const open = `vfio-ledger-${namespace}-${pid}-${start}-opened`;
  const link = `vfio-ledger-${namespace}-${pid}-${start}-linked`;
  mkdirSync(join(place, 'kept'));
  writeFileSync(join(place, 'kept', 'file'), '');
  mkdirSync(join(place, other), { mode: 0o700 });
  mkdirSync(join(place, open), { mode: 0o755 });
  symlinkSync('kept', join(place, link));

  vi.stubEnv('TMPDIR', place);
  await using ledger = await openLedger(':memory:');
  await ledger.import('900 close(3</dev/vfio/33>) = 0\n', { format: 'strace' });
  expect(readdirSync(place).toSorted()).toEqual(['kept', other, open, link].toSorted());
  expect(readdirSync(join(place, 'kept'))).toEqual(['file']);
});

test('the events of an import that is running are left to it', async () => {
  const living = killed.replace(
    /process\.kill.*/,
    `
    const { openLedger } = await import('${new URL('../../ledger.ts', import.meta.url).href}');
    await using ledger = await openLedger(':memory:');
    await ledger.import('900 close(3</dev/vfio/33>) = 0\\n', { format: 'strace' });
    let read = 0;
    for await (const batch of spool.batches()) read += batch.length;
    console.log(read);`,
  );
  const script = ['--input-type=module', '-e', living];
  const ended = await runCommand(process.execPath, script, { env: { TMPDIR: place } });
  expect(ended).toEqual({ code: 0, out: '20\n', err: '' });
});
