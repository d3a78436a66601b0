import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../log/folder.ts';
import { copiedHost } from '../support/copied-host.ts';
import { main, run, runCommand } from './program.ts';

const folder = temporaryFolder();
const hasStrace = spawnSync('strace', ['-V']).error === undefined;

const host = copiedHost(join(folder, 'host'), {
  devices: [
    { device: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio0' },
    { device: '0000:3c:00.0', group: '27', driver: 'vfio-pci', cdev: 'vfio1' },
  ],
});

/** Takes the options of strace, shows what is written down, and runs the command. */
function strace(name: string, lines: readonly string[], besides = ''): string {
  const path = join(folder, name);
  const trace = lines.map((line, at) => line.replace(' ', ` ${1_900_000_000 + at}.000000 `));
  writeFileSync(`${path}.txt`, trace.map((line) => `${line}\n`).join(''));
  writeFileSync(
    path,
    `while [ "$1" != -- ]; do [ "$1" != -o ] || out=$2; shift; done
shift
cat ${path}.txt >"$out"
${besides}
exec "$@"
`,
  );
  return `sh ${path}`;
}

const opens = [
  '100 execve("/usr/bin/vmm", ["vmm"], 0x7ffc /* 9 vars */) = 0',
  '100 openat(AT_FDCWD</>, "/dev/iommu", O_RDWR|O_CLOEXEC) = 3</dev/iommu>',
  '100 openat(AT_FDCWD</>, "/dev/vfio/devices/vfio0", O_RDWR) = 4</dev/vfio/devices/vfio0>',
  '100 ioctl(4</dev/vfio/devices/vfio0>, VFIO_DEVICE_BIND_IOMMUFD, 0x7ffc) = 0',
  '100 openat(AT_FDCWD</>, "/dev/vfio/26", O_RDWR) = -1 EBUSY (Device or resource busy)',
];
const leaving = [
  ...opens,
  '100 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f) = 101',
  '100 exit_group(0) = ?',
  '100 +++ exited with 0 +++',
];
const closing = [
  ...opens,
  '100 close(4</dev/vfio/devices/vfio0>) = 0',
  '100 exit_group(0) = ?',
  '100 +++ exited with 0 +++',
];

const runWith = (tracer: string, ...args: string[]) =>
  run(['run', '--root', host, '--wait', '0.2', '--tracer', tracer, ...args]);

test('what a child that is left behind holds still is told, and whose it is', async () => {
  const tracer = strace('leaving', leaving);
  const { code, out, err } = await runWith(tracer, '--json', '--', 'echo', 'from the command');
  const [said, json = ''] = out.split('\n');
  expect({ code, said, err }).toEqual({ code: 0, said: 'from the command', err: '' });
  const report = JSON.parse(json);
  expect(report).toMatchObject({
    command: ['echo', 'from the command'],
    exit: { code: 0, signal: null },
    log: null,
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
    rejectedCount: 0,
  });
  expect(report.opened[0].time).toBe('2030-03-17T17:46:41.000000Z');
});

test('in words on standard error, and as an exit code where that is asked for', async () => {
  const tracer = strace('leaving', leaving);
  const [told, failed, clean] = await Promise.all([
    runWith(tracer, '--', 'true'),
    runWith(tracer, '--fail-on-leak', '--', 'true'),
    runWith(strace('closing', closing), '--fail-on-leak', '--', 'true'),
  ]);
  expect({ code: told.code, out: told.out }).toEqual({ code: 0, out: '' });
  expect(told.err).toContain('device 0000:3b:00.0 (group 26)  NOT RELEASED');
  expect(told.err).toMatch(/^Held still:\n {2}vmm\[101\] {2}fd 3 {2}iommufd\n/m);
  expect(told.err).toMatch(/^Group 26 is owned by it still: iommufd f\d+ \(inferred\)\.$/m);
  expect(failed.code).toBe(1);
  expect(clean.code).toBe(0);
  expect(clean.err).toContain('released 2030-03-17T17:46:45.000000Z');
  expect(clean.err).toMatch(/^All of it was released\.$/m);
});

test('it is recorded where a log is named, and nowhere else', async () => {
  const log = join(folder, 'run.ledger');
  const other = join(folder, 'other.ledger');
  const env = { VFIO_LEDGER_LOG: other, XDG_STATE_HOME: join(folder, 'state') };
  const tracer = strace('closing', closing);
  const args = ['run', '--root', host, '--tracer', tracer];
  expect(await run([...args, '--log', log, '--', 'true'], { env })).toMatchObject({ code: 0 });
  expect(await run([...args, '--', 'true'], { env })).toMatchObject({ code: 0 });
  expect([existsSync(other), existsSync(join(folder, 'state'))]).toEqual([false, false]);
  const history = await run(['history', '0000:3b:00.0', '--json', '--log', log]);
  const kinds = JSON.parse(history.out).map(({ owner }: { owner: { kind: string } }) => owner.kind);
  expect(kinds).toContain('iommufd');
  expect(await run(['verify', '--log', log])).toMatchObject({ code: 0 });
});

/** Shows what others do, and once a command has told its number also what that does. */
function watcher(name: string): { readonly tracer: string; readonly command: string[] } {
  const path = join(folder, name);
  const shown = (pid: string, comm: string, ev: string, rest: string) => {
    const data = `{"t":1000,"pid":${pid},"tid":${pid},"comm":"${comm}","ev":"${ev}",${rest}}\n`;
    return `printf '%s\\n' '${JSON.stringify({ type: 'printf', data }).replaceAll('PID', `'"$1"'`)}'`;
  };
  const node = (name: string, fd: number) =>
    `"flags":2,"rc":${fd},"file":"0x${fd}","path":"/dev/vfio/devices/${name}"`;
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
  return { tracer: `exec sh ${path}`, command: ['sh', '-c', script] };
}

test('beside a tracer of the host it is told what the command did, and not what others do', async () => {
  const { tracer, command } = watcher('watched');
  const log = join(folder, 'watched.ledger');
  const args = ['--with', 'bpftrace', '--log', log, '--json', '--', ...command];
  const { code, out, err } = await runWith(tracer, ...args);
  expect({ code, err }).toEqual({ code: 3, err: '' });
  expect(JSON.parse(out)).toMatchObject({
    exit: { code: 3, signal: null },
    opened: [
      { kind: 'iommufd', pid: 4712, comm: 'vmm' },
      { kind: 'device', pid: 4712, device: '0000:3b:00.0' },
    ],
    bound: [{ operation: 'bind', pid: 4712, device: '0000:3b:00.0' }],
    held: [],
  });
  const table = await run(['table', '--at', 'end', '--json', '--log', log]);
  const { files } = JSON.parse(table.out);
  expect(files).toMatchObject([{ holders: [{ pid: 4711, comm: 'other', fd: 9 }] }]);
});

test.each([
  [['--with', 'dtrace', '--', 'true'], 2, "--with takes strace or bpftrace, not 'dtrace'"],
  [
    ['--with', 'bpftrace', '--tracer', 'exit 5', '--', 'true'],
    4,
    'the tracer: it ended with exit code 5',
  ],
])('%j is refused', async (args, code, reason) => {
  expect(await run(['run', '--root', host, ...args])).toMatchObject({
    code,
    err: expect.stringContaining(reason),
  });
});

test('what stays to watch children is told to let go', async () => {
  const stays = '(exec 9>"$out"; exec sleep 60) </dev/null >/dev/null 2>&1 &';
  const begun = performance.now();
  const told = await runWith(strace('staying', leaving, stays), '--', 'true');
  expect(told).toMatchObject({ code: 0, err: expect.stringContaining('Held still:') });
  expect(performance.now() - begun).toBeLessThan(30_000);
});

test('without strace it says how to get it, and without the command that there is none', async () => {
  const env = { PATH: join(folder, 'nowhere') };
  const none = await run(['run', '--', process.execPath], { env });
  expect(none).toMatchObject({ code: 4, out: '' });
  expect(none.err).toMatch(/^vfio-ledger: strace is not installed: .*apt-get install strace/);
  const unknown = await runWith(strace('closing', closing), '--', 'no-such-command');
  expect(unknown).toMatchObject({ code: 127, err: expect.stringContaining('no-such-command') });
  const silent = await runWith(strace('silent', []), '--', 'true');
  expect(silent).toMatchObject({ code: 4, err: expect.stringContaining('shown nothing') });
});

test('the command has the streams and the exit code that it would have', async ({ skip }) => {
  skip(!hasStrace, 'strace is not installed');
  const script = 'cat </dev/null; cat; echo bad >&2; exit 7';
  const ended = await run(['run', '--', 'sh', '-c', script], { input: 'given\n' });
  expect(ended).toMatchObject({ code: 7, out: 'given\n' });
  expect(ended.err).toMatch(/^bad\nvfio-ledger: .* ended with exit code 7\nNothing of VFIO was op/);
  const killed = await run(['run', '--json', '--', 'sh', '-c', 'kill -TERM $$']);
  expect(killed.code).toBe(143);
  expect(JSON.parse(killed.out)).toMatchObject({ exit: { code: null, signal: 'SIGTERM' } });
});

test('children that are left behind run on, and nothing waits for them', async ({ skip }) => {
  skip(!hasStrace, 'strace is not installed');
  const later = join(folder, 'later');
  const report = join(folder, 'report.json');
  const command = ['sh', '-c', `(sleep 3; echo later >${later}) >/dev/null 2>&1 & exit 3`];
  const ended = await run(['run', '--wait', '0.1', '--report', report, '--', ...command]);
  expect(ended).toEqual({ code: 3, out: '', err: '' });
  expect(existsSync(later)).toBe(false);
  const { left } = JSON.parse(readFileSync(report, 'utf8')) as { left: { comm: string }[] };
  expect(left.map(({ comm }) => comm)).toContain('sh');
  for (let waited = 0; waited < 200 && !existsSync(later); waited++) await sleep(100);
  expect(readFileSync(later, 'utf8')).toBe('later\n');
});

test('signals reach the command, which decides', async ({ skip }) => {
  skip(!hasStrace, 'strace is not installed');
  const script = "trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.1; done";
  const child = spawn(process.execPath, [main, 'run', '--', 'sh', '-c', script]);
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (out === '') child.kill('SIGTERM');
    out += text;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect({ code, out }).toEqual({ code: 9, out: 'ready\ngot it\n' });
});

test('the real one shows nothing of VFIO where nothing of it is opened', async ({ skip }) => {
  skip(!hasStrace, 'strace is not installed');
  const { out } = await runCommand(process.execPath, [
    main,
    'run',
    '--json',
    '--',
    'cat',
    '/dev/null',
  ]);
  expect(JSON.parse(out)).toMatchObject({ opened: [], held: [], left: [], rejectedCount: 0 });
});
