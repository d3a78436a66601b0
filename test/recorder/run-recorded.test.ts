import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLedger } from '../../ledger.ts';
import { runRecorded } from '../../recorder/run-recorded.ts';
import type { Strace } from '../../recorder/run-under-strace.ts';
import type { HostTracer } from '../../recorder/tracer.ts';
import { temporaryFolder } from '../log/folder.ts';
import { copiedHost } from '../support/copied-host.ts';
import { closing, endOf, leaving, straceScript } from './tracer-scripts.ts';

const folder = temporaryFolder();

const root = copiedHost(join(folder, 'host'), {
  devices: [
    { device: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio0' },
    { device: '0000:3c:00.0', group: '27', driver: 'vfio-pci', cdev: 'vfio1' },
  ],
});

function strace(name: string, lines: readonly string[], besides = ''): Strace {
  return { format: 'strace', command: straceScript(join(folder, name), lines, besides) };
}

const optionsWith = (tracer: Strace | HostTracer) => {
  return { tracer, patienceMs: 200, root, readsAfter: false };
};

test('what a child that is left behind holds still is told, and whose it is', async () => {
  await using ledger = await openLedger(':memory:');
  const options = optionsWith(strace('leaving', leaving));
  const report = await runRecorded(ledger, ['sh', '-c', 'exit 3'], options);
  expect(report).toMatchObject({
    exit: { code: 3, signal: null },
    opened: [
      { kind: 'iommufd', pid: 100, comm: 'vmm', fd: 3, isSeen: true, released: null },
      { kind: 'device', device: '0000:3b:00.0', group: '26', fd: 4, released: null },
    ],
    bound: [{ operation: 'bind', pid: 100, device: '0000:3b:00.0', group: '26' }],
    refused: [{ operation: 'open_group', errno: 'EBUSY', cause: 'cdev-bound-in-group' }],
    held: [
      { pid: 101, comm: 'vmm', via: 'fd', fd: 3, kind: 'iommufd' },
      { pid: 101, comm: 'vmm', via: 'fd', fd: 4, kind: 'device', device: '0000:3b:00.0' },
    ],
    owned: [{ group: '26', owner: { kind: 'iommufd' } }],
    read: leaving.length,
    rejectedCount: 0,
  });
  expect(report.opened[0]?.time).toBe('2030-03-17T17:46:41.000000Z');
});

test('what a command did before is not told of the next one', async () => {
  await using ledger = await openLedger(':memory:');
  const options = optionsWith(strace('twice', closing));
  const first = await runRecorded(ledger, ['true'], options);
  expect(first).toMatchObject({ opened: [{ fd: 3 }, { fd: 4 }], held: [], owned: [] });
  const before = ledger.length;
  const second = await runRecorded(ledger, ['true'], options);
  expect(second.opened.map(({ fd }) => fd)).toEqual([3, 4]);
  expect(second.opened.every(({ position }) => position >= before)).toBe(true);
});

/** Shows what others do, and once a command has told its number also what that does. */
function watcher(name: string): { readonly tracer: HostTracer; readonly command: string[] } {
  const path = join(folder, name);
  const shown = (pid: string, comm: string, ev: string, rest: string) => {
    const data = `{"t":1000,"pid":${pid},"tid":${pid},"comm":"${comm}","ev":"${ev}",${rest}}\n`;
    return `printf '%s\\n' '${JSON.stringify({ type: 'printf', data }).replaceAll('PID', `'"$1"'`)}'`;
  };
  const node = (device: string, fd: number) =>
    `"flags":2,"rc":${fd},"file":"0x${fd}","path":"/dev/vfio/devices/${device}"`;
  const lines = [
    `echo '{"type": "attached_probes", "data": {"probes": 9}}'`,
    `until [ -s ${path}.pid ]; do sleep 0.05; done`,
    `set -- $(cat ${path}.pid)`,
    shown('4711', 'other', 'open', node('vfio1', 9)),
    shown('PID', 'sh', 'fork', '"child":4712,"flags":17'),
    shown('4712', 'vmm', 'open', `"flags":2,"rc":3,"file":"0x3","path":"/dev/iommu"`),
    shown('4712', 'vmm', 'open', node('vfio0', 4)),
    shown('4712', 'vmm', 'ioctl', '"fd":4,"cmd":"0x3b76","iommufd":3,"argsz":16,"flags":0,"rc":0'),
    shown('4712', 'vmm', 'exit', '"x":0'),
    `touch ${path}.shown; exec sleep 60`,
  ];
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  const script = `echo $$ > ${path}.pid; until [ -e ${path}.shown ]; do sleep 0.05; done; exit 3`;
  const command = ['sh', path] as const;
  return {
    tracer: { name: 'the tracer', format: 'bpftrace', command, showsProbes: false },
    command: ['sh', '-c', script],
  };
}

test('beside a tracer of the host it is told what the command did, and not what others do', async () => {
  await using ledger = await openLedger(':memory:');
  const { tracer, command } = watcher('watched');
  expect(await runRecorded(ledger, command, optionsWith(tracer))).toMatchObject({
    exit: { code: 3, signal: null },
    opened: [
      { kind: 'iommufd', pid: 4712, comm: 'vmm' },
      { kind: 'device', pid: 4712, device: '0000:3b:00.0' },
    ],
    bound: [{ operation: 'bind', pid: 4712, device: '0000:3b:00.0' }],
    held: [],
  });
  const { files } = ledger.at('end').table();
  expect(files).toMatchObject([{ holders: [{ pid: 4711, comm: 'other', fd: 9 }] }]);
});

test('what stays to watch children is told to let go', async () => {
  await using ledger = await openLedger(':memory:');
  const pid = join(folder, 'staying.pid');
  const stays = `sh -c 'echo $$ >${pid}; exec sleep 60' 9>"$out" </dev/null >/dev/null 2>&1 &
until [ -s ${pid} ]; do sleep 0.05; done`;
  const { held } = await runRecorded(
    ledger,
    ['true'],
    optionsWith(strace('staying', leaving, stays)),
  );
  expect(held).toHaveLength(2);
  await endOf(pid);
});

test('a tracer that shows nothing, and one that cannot be started, are unavailable', async () => {
  await using ledger = await openLedger(':memory:');
  const silent = runRecorded(ledger, ['true'], optionsWith(strace('silent', [])));
  await expect(silent).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('shows no call'),
  });
  const none = { format: 'strace', command: [join(folder, 'no-strace')] } as const;
  await expect(runRecorded(ledger, ['true'], optionsWith(none))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('ENOENT'),
  });
});
