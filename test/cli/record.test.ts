import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openLedger } from '../../ledger.ts';
import { temporaryFolder } from '../log/folder.ts';
import {
  attached,
  bound,
  bpftraceLine,
  deviceOpened,
  opened,
  tracerLine,
} from '../recorder/tracer-scripts.ts';
import { copiedHost } from '../support/copied-host.ts';
import { main, run } from './program.ts';

const folder = temporaryFolder();

const host = copiedHost(join(folder, 'host'), {
  devices: [{ device: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio0' }],
  processes: [{ pid: 90, comm: 'old-vmm', descriptors: { 5: '/dev/iommu' } }],
});

const tracer = (name: string, lines: readonly string[], then: string, before?: string[]) =>
  tracerLine(join(folder, name), lines, then, before);

const record = (log: string, ...args: string[]) =>
  run(['record', '--root', host, '--log', log, ...args]);

async function typesIn(log: string): Promise<string[]> {
  const ledger = await openLedger(log, { readOnly: true });
  const types = ledger.events.map(({ type }) => type);
  await ledger.close();
  return types;
}

/** Records until what is in the log is what is waited for. */
async function recordUntil(
  log: string,
  isDone: (types: readonly string[]) => boolean,
  args: readonly string[],
  { signal = 'SIGTERM', env = {} }: { signal?: NodeJS.Signals; env?: Record<string, string> } = {},
): Promise<{ code: unknown; out: string; err: string }> {
  const all = ['record', '--root', host, '--log', log, ...args];
  const child = spawn(process.execPath, [main, ...all], { env: { ...process.env, ...env } });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = new Promise((resolve) => child.on('close', resolve));
  const patience = performance.now() + 40_000;
  // It is no log before the first append.
  while (!isDone(await typesIn(log).catch((): string[] => [])) && performance.now() < patience) {
    await sleep(100);
  }
  child.kill(signal);
  return { code: await ended, out, err };
}

test.concurrent('for so many seconds, reported as JSON', async () => {
  const log = join(folder, 'seconds.ledger');
  const shows = tracer('seconds', [attached, opened, deviceOpened, bound], 'sleep 60');
  const { code, out, err } = await record(log, '--for', '2', '--json', '--tracer', shows);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const { length } = await typesIn(log);
  const report = { appended: length, read: 4, unknown: 0, rejectedCount: 0, starts: 1 };
  expect(JSON.parse(out)).toEqual(report);
  expect(await run(['verify', '--log', log])).toMatchObject({ code: 0 });
});

test.concurrent('what went wrong and was mended is told on standard error', async () => {
  const log = join(folder, 'dies.ledger');
  const again = join(folder, 'again');
  const then = `if [ -e ${again} ]; then sleep 60; fi; : >${again}; echo 'out of memory' >&2; exit 3`;
  const shows = tracer('dies', [attached, opened], then);
  const isDone = (types: readonly string[]) =>
    types.filter((type) => type === 'evidence.begun').length === 2;
  const { code, out, err } = await recordUntil(log, isDone, ['--tracer', shows]);
  expect(code).toBe(0);
  expect(out).toMatch(/, from 4 lines; the tracer was started 2 times\n$/);
  expect(err).toBe(
    'vfio-ledger: the tracer is gone: it ended with exit code 3: out of memory; starting it again\n',
  );
});

test.concurrent('what ftrace prints is read as such', async () => {
  const log = join(folder, 'ftrace.ledger');
  const shows = tracer('ftrace', ['# vfio-ledger: Linux 6.12.9'], 'sleep 60');
  const args = ['--with', 'ftrace', '--for', '2', '--json', '--tracer', shows];
  const { code, out } = await record(log, ...args);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ read: 1, unknown: 0, rejectedCount: 0 });
});

test.concurrent.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s ends it, and nothing is lost',
  async (signal) => {
    const log = join(folder, `${signal}.ledger`);
    const last = join(folder, `${signal}.last`);
    writeFileSync(last, `${bound}\n`);
    const before = [`trap 'cat ${last}; exit 0' TERM`];
    const lines = [attached, opened, deviceOpened];
    const shows = tracer(signal, lines, 'while :; do sleep 0.05; done', before);
    const isDone = (types: readonly string[]) => types.includes('device.opened');
    const { code, out } = await recordUntil(log, isDone, ['--tracer', shows], { signal });
    expect(code).toBe(0);
    expect(out).toMatch(/^\d+ events recorded in .*, from 4 lines\n$/);
    expect((await typesIn(log)).at(-1)).toBe('device.bound');
  },
);

test.each([
  [
    ['--tracer', 'echo no kprobes here >&2; exit 1'],
    4,
    'the tracer: it ended with exit code 1: no kprobes here',
  ],
  [['--with', 'dtrace'], 2, "--with takes bpftrace or ftrace, not 'dtrace'"],
  [['--for', 'ever'], 2, "--for takes seconds, not 'ever'"],
])('%j is refused', async (args, code, reason) => {
  const err = `vfio-ledger: ${reason}\n`;
  expect(await record(join(folder, 'refused.ledger'), ...args)).toEqual({ code, out: '', err });
});

test('a log of a simulation takes no recording', async () => {
  const log = join(folder, 'simulated.ledger');
  const topology = ['--topology', 'examples/host.topology.json'];
  const scenario = 'examples/two-contexts.scenario';
  await run(['simulate', ...topology, '--log', log, scenario]);
  const shows = tracer('simulated', [attached], 'sleep 60');
  expect(await record(log, '--for', '1', '--tracer', shows)).toMatchObject({ code: 2 });
});

test.concurrent('it waits for a tracer that it can ask until that is at work', async ({ skip }) => {
  const hasStrace = spawnSync('strace', ['-V']).error === undefined;
  skip(!hasStrace || process.getuid?.() !== 0, 'needs strace and root, to see the recorder look');
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const lines = join(folder, 'asked.txt');
  const go = join(folder, 'asked.go');
  writeFileSync(lines, `${opened}\n${deviceOpened}\n${bound}\n`);
  // What the probes would show of the recorder itself, told by strace.
  const seen =
    '{"t":1000000000,"pid":1,"tid":1,"comm":"node","ev":"open","flags":0,"rc":-2,"file":"0x0"';
  const sed = join(folder, 'asked.sed');
  writeFileSync(sed, `s|.*openat([^"]*"\\(/dev/vfio/[^"]*\\)".*|${seen},"path":"\\1"}|p\n`);
  const bpftrace = join(bin, 'bpftrace');
  writeFileSync(
    bpftrace,
    `#!/bin/sh
echo '${attached}'
echo '${bpftraceLine(50, 'open', '"flags":2,"rc":9,"file":"0xff09","path":"/dev/iommu"')}'
sleep 1
strace -q -f -p $PPID -e trace=openat -o "|sed -un -f ${sed}" &
trap "kill $!" TERM
(until [ -e ${go} ]; do sleep 0.1; done; cat ${lines}) &
wait
wait
`,
  );
  chmodSync(bpftrace, 0o755);
  const log = join(folder, 'asked.ledger');
  const env = { PATH: `${bin}:${process.env['PATH']}` };
  const isDone = (types: readonly string[]) => {
    if (types.includes('snapshot.taken')) writeFileSync(go, '');
    return types.includes('device.bound');
  };
  const { code, out, err } = await recordUntil(log, isDone, ['--json'], { env });
  expect({ code, err: err.replace(/^.*vfio is not loaded.*\n/, '') }).toEqual({ code: 0, err: '' });
  // What was traced before the host was read is in the reading.
  expect(JSON.parse(out)).toMatchObject({ read: 3, starts: 1, rejectedCount: 0 });
  const types = await typesIn(log);
  expect(types.slice(types.indexOf('evidence.begun'))).toEqual([
    'evidence.begun',
    'process.found',
    'iommufd.opened',
    'device.opened',
    'device.bound',
  ]);
});
