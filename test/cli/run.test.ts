import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../log/folder.ts';
import {
  attached,
  closing,
  leaving,
  straceScript,
  tracerLine,
} from '../recorder/tracer-scripts.ts';
import { copiedHost } from '../support/copied-host.ts';
import { main, run, runCommand } from './program.ts';

const folder = temporaryFolder();
const hasStrace = spawnSync('strace', ['-V']).error === undefined;

const host = copiedHost(join(folder, 'host'), {
  devices: [{ device: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio0' }],
});

const strace = (name: string, lines: readonly string[]) =>
  straceScript(join(folder, name), lines).join(' ');

const runWith = (tracer: string, ...args: string[]) =>
  run(['run', '--root', host, '--wait', '0.2', '--tracer', tracer, ...args]);

test('what the command prints comes first, and then one JSON value', async () => {
  const tracer = strace('leaving', leaving);
  const { code, out, err } = await runWith(tracer, '--json', '--', 'echo', 'from the command');
  const [said, json = ''] = out.split('\n');
  expect({ code, said, err }).toEqual({ code: 0, said: 'from the command', err: '' });
  expect(JSON.parse(json)).toMatchObject({
    command: ['echo', 'from the command'],
    exit: { code: 0, signal: null },
    log: null,
    held: [
      { pid: 101, fd: 3 },
      { pid: 101, fd: 4 },
    ],
  });
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
  expect(told.err).toMatch(/^Still held:\n {2}vmm\[101\] {2}fd 3 {2}iommufd\n/m);
  expect(told.err).toMatch(/^Group 26 is still owned by iommufd f\d+ \(inferred\)\.$/m);
  expect(failed.code).toBe(1);
  expect(clean.code).toBe(0);
  expect(clean.err).toContain('released 2030-03-17T17:46:45.000000Z');
  // strace shows no other process, which may have got a file.
  expect(clean.err).toMatch(/^none seen: no file that was opened is known to be still held$/m);
  expect(clean.err).toMatch(/^Not all was seen: .*: only some processes were seen \(strace\)/m);
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

test('beside a tracer of the host it ends as the command does', async () => {
  const tracer = tracerLine(join(folder, 'host-tracer'), [attached], 'exec sleep 60');
  const args = ['--with', 'bpftrace', '--json', '--', 'sh', '-c', 'exit 3'];
  const { code, out, err } = await runWith(tracer, ...args);
  expect({ code, err }).toEqual({ code: 3, err: '' });
  expect(JSON.parse(out)).toMatchObject({
    exit: { code: 3, signal: null },
    read: 1,
    opened: [],
    coverage: { unknown: [] },
  });
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

test('without strace it says how to get it, and without the command that there is none', async () => {
  const env = { PATH: join(folder, 'nowhere') };
  const none = await run(['run', '--', process.execPath], { env });
  expect(none).toMatchObject({ code: 4, out: '' });
  expect(none.err).toMatch(/^vfio-ledger: strace is not installed: .*apt-get install strace/);
  const unknown = await runWith(strace('closing', closing), '--', 'no-such-command');
  expect(unknown).toMatchObject({ code: 127, err: expect.stringContaining('no-such-command') });
  const silent = await runWith(strace('silent', []), '--', 'true');
  expect(silent).toMatchObject({ code: 4, err: expect.stringContaining('shows no call') });
});

test('the command has the streams and the exit code that it would have', async ({ skip }) => {
  skip(!hasStrace, 'strace is not installed');
  const script = 'cat </dev/null; cat; echo bad >&2; exit 7';
  const ended = await run(['run', '--', 'sh', '-c', script], { input: 'given\n' });
  expect(ended).toMatchObject({ code: 7, out: 'given\n' });
  expect(ended.err).toMatch(
    /^bad\nvfio-ledger: .* ended with exit code 7\nnone seen: no VFIO file was/,
  );
  const killed = await run(['run', '--json', '--', 'sh', '-c', 'kill -TERM $$']);
  expect(killed.code).toBe(143);
  expect(JSON.parse(killed.out)).toMatchObject({ exit: { code: null, signal: 'SIGTERM' } });
});

test('children that are left behind run on, and nothing waits for them', async ({ skip }) => {
  skip(!hasStrace, 'strace is not installed');
  const later = join(folder, 'later');
  const report = join(folder, 'report.json');
  const go = join(folder, 'go');
  const waits = `until [ -e ${go} ]; do sleep 0.05; done`;
  const command = ['sh', '-c', `(${waits}; echo later >${later}) >/dev/null 2>&1 & exit 3`];
  const ended = await run(['run', '--wait', '0.1', '--report', report, '--', ...command]);
  expect(ended).toEqual({ code: 3, out: '', err: '' });
  expect(existsSync(later)).toBe(false);
  const { left } = JSON.parse(readFileSync(report, 'utf8')) as { left: { comm: string }[] };
  expect(left.map(({ comm }) => comm)).toContain('sh');
  writeFileSync(go, '');
  for (let waited = 0; waited < 400 && !existsSync(later); waited++) await sleep(50);
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

const held = copiedHost(join(folder, 'held'), {
  devices: [{ device: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio0' }],
  processes: [
    { pid: 4711, comm: 'qemu', descriptors: { 9: '/dev/vfio/26' } },
    { pid: 4712, comm: 'spdk', descriptors: { 5: '/dev/vfio/devices/vfio0' } },
  ],
});

test('what is held before the command is told, and with fail the command is not started', async () => {
  const junit = join(folder, 'before.xml');
  const mark = join(folder, 'started');
  const runHeld = (...args: string[]) =>
    run(['run', '--root', held, '--wait', '0.2', '--tracer', strace('closing', closing), ...args], {
      env: { GITHUB_ACTIONS: 'true' },
    });
  const told = 'group 26: held by qemu[4711] fd 9 before the command was started';
  const failed = await runHeld('--before-leaks', 'fail', '--junit', junit, '--', 'touch', mark);
  expect({ code: failed.code, started: existsSync(mark) }).toEqual({ code: 1, started: false });
  expect(failed.err).toContain(`vfio-ledger: /dev/vfio/26, ${told}\n`);
  expect(failed.err).toContain(`::error title=vfio-ledger run::/dev/vfio/26, ${told}\n`);
  expect(failed.err).toContain(
    '/dev/vfio/devices/vfio0, device 0000:3b:00.0, group 26: held by spdk[4712] fd 5',
  );
  const report = readFileSync(junit, 'utf8');
  // Nothing is said of releases: the command was not started.
  expect(report).toContain('<testsuite name="vfio-ledger run" tests="2" failures="2" skipped="0">');
  expect(report).toContain(`<failure message="/dev/vfio/26, ${told}">`);
  expect(report).toContain('it was not started');
  const warned = await runHeld('--before-leaks', 'warn', '--', 'touch', mark);
  expect({ code: warned.code, started: existsSync(mark) }).toEqual({ code: 0, started: true });
  expect(warned.err).toContain(told);
  expect((await runHeld('--before-leaks', 'maybe', '--', 'true')).code).toBe(2);
});

test('a job is told what is still held, and what was refused with group, device and path', async () => {
  const junit = join(folder, 'after.xml');
  const args = ['run', '--root', host, '--wait', '0.2', '--tracer', strace('leaving', leaving)];
  const env = { GITHUB_ACTIONS: 'true' };
  const { err } = await run([...args, '--junit', junit, '--', 'false'], { env });
  const error = '::error title=vfio-ledger run::';
  expect(err).toContain(`${error}device 0000:3b:00.0 (group 26): still held by vmm[101] fd 4\n`);
  expect(err).toContain(`${error}open_group of /dev/vfio/26, group 26 was refused: EBUSY, `);
  expect(readFileSync(junit, 'utf8')).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="vfio-ledger run" tests="2" failures="2" skipped="0">
  <testcase classname="vfio-ledger" name="false">
    <failure message="it ended with exit code 1">it ended with exit code 1
open_group of /dev/vfio/26, group 26 was refused: EBUSY, cdev-bound-in-group (a device of the group is bound through its cdev, so the group cannot be opened)</failure>
  </testcase>
  <testcase classname="vfio-ledger" name="every VFIO file is released">
    <failure message="iommufd: still held by vmm[101] fd 3">iommufd: still held by vmm[101] fd 3
device 0000:3b:00.0 (group 26): still held by vmm[101] fd 4</failure>
  </testcase>
</testsuite>
`);
  // Without GitHub's environment there are no lines for it.
  expect((await run([...args, '--', 'true'], { env: { GITHUB_ACTIONS: '' } })).err).not.toContain(
    '::error',
  );
});

test.each([
  ['nothing is held, and all processes were read', null, /name="no VFIO file is held before"\/>/],
  [
    'the descriptors of a process cannot be read',
    { pid: 4713, comm: 'other' },
    /<skipped message="not seen: descriptors of 1 process [^"]*"\/>/,
  ],
])(
  'a job that asks for it is told of the host before the command: %s',
  async (_, process, told) => {
    const copy = copiedHost(join(folder, `before ${process?.pid}`), {
      devices: [{ device: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio0' }],
      processes: process === null ? [] : [process],
    });
    if (process !== null) rmSync(join(copy, `proc/${process.pid}/fd`), { recursive: true });
    const junit = join(folder, 'whole.xml');
    const tracer = strace('closing', closing);
    const asked = ['--before-leaks', 'fail', '--junit', junit];
    const { code, err } = await run(
      ['run', '--root', copy, '--wait', '0.2', '--tracer', tracer, ...asked, '--', 'true'],
      { env: { GITHUB_ACTIONS: '' } },
    );
    expect(code).toBe(0);
    expect(readFileSync(junit, 'utf8')).toMatch(told);
    expect(err.includes('not seen: ')).toBe(process !== null);
  },
);
