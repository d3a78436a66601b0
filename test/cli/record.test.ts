import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { openLedger } from '../../ledger.ts';
import { temporaryFolder } from '../log/folder.ts';
import { copiedHost } from '../support/copied-host.ts';
import { main, run } from './program.ts';
import { inCampaigns } from '../support/effort.ts';

// Programs take longer on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 });

const folder = temporaryFolder();

const host = copiedHost(join(folder, 'host'), {
  devices: [{ device: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio0' }],
  processes: [{ pid: 90, comm: 'old-vmm', descriptors: { 5: '/dev/iommu' } }],
});

/** A line as `bpftrace -f json` prints it. */
function printed(seconds: number, ev: string, rest: string, pid = 4711): string {
  const data = `{"t":${seconds}000000000,"pid":${pid},"tid":${pid},"comm":"vmm","ev":"${ev}",${rest}}\n`;
  return JSON.stringify({ type: 'printf', data });
}

const attached = '{"type": "attached_probes", "data": {"probes": 13}}';
const opened = printed(100, 'open', '"flags":2,"rc":3,"file":"0xff01","path":"/dev/iommu"');
const device = printed(
  101,
  'open',
  '"flags":2,"rc":4,"file":"0xff02","path":"/dev/vfio/devices/vfio0"',
);
const bind = '"fd":4,"cmd":"0x3b76","argsz":16,"flags":0,"iommufd":3,"id":1,"rc":0';
const bound = printed(102, 'ioctl', bind);
const closed = printed(103, 'close', '"fd":4,"rc":0');

/** A tracer that prints a file, and then does something else. */
function tracer(name: string, lines: readonly string[], then: string): string {
  const path = join(folder, name);
  writeFileSync(`${path}.txt`, lines.map((line) => `${line}\n`).join(''));
  writeFileSync(path, `cat ${path}.txt\n${then}\n`);
  return `sh ${path}`;
}

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

/** Whoever has ended may still be there until somebody asks how. */
function isAlive(pid: string): boolean {
  const status = `/proc/${pid}/status`;
  return existsSync(status) && !/^State:\tZ/m.test(readFileSync(status, 'utf8'));
}

test('the host as it was read, and what the tracer shows from then on', async () => {
  const log = join(folder, 'goes-on.ledger');
  const shows = tracer('goes-on', [attached, opened, device, bound], 'sleep 60');
  const { code, out, err } = await record(log, '--for', '2', '--json', '--tracer', shows);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const ledger = await openLedger(log, { readOnly: true });
  const { length } = ledger;
  expect(JSON.parse(out)).toEqual({
    appended: length,
    read: 4,
    unknown: 0,
    rejectedCount: 0,
    starts: 1,
  });
  const types = ledger.events.map(({ type }) => type);
  expect(types.indexOf('snapshot.taken')).toBeLessThan(types.indexOf('evidence.begun'));
  expect(ledger.at('end').device('0000:3b:00.0')).toMatchObject({
    state: 'bound',
    owner: {
      kind: 'iommufd',
      holders: [
        { pid: 4711, fd: 3 },
        { pid: 4711, fd: 4 },
      ],
    },
  });
  expect(ledger.who('pid:90').holders).toHaveLength(1);
  const times = ledger.events.flatMap(({ time }) => time ?? []);
  expect(times).toEqual(times.toSorted());
  await ledger.close();
  expect(await run(['verify', '--log', log])).toMatchObject({ code: 0 });
});

test('a tracer that dies leaves a gap, and another goes on after a fresh reading', async () => {
  const log = join(folder, 'dies.ledger');
  const again = join(folder, 'again');
  const then = `if [ -e ${again} ]; then sleep 60; fi; : >${again}; echo 'out of memory' >&2; exit 3`;
  const shows = tracer('dies', [attached, opened, device, bound, closed], then);
  const isDone = (types: readonly string[]) =>
    types.filter((type) => type === 'descriptor.closed').length === 2;
  const { code, err } = await recordUntil(log, isDone, ['--tracer', shows]);
  expect(code).toBe(0);
  expect(err).toBe(
    'vfio-ledger: the tracer is gone: it ended with exit code 3: out of memory; starting it anew\n',
  );
  const ledger = await openLedger(log, { readOnly: true });
  const notable = ['snapshot.taken', 'evidence.begun', 'gap.noticed', 'device.bound'];
  const types = ledger.events.map(({ type }) => type).filter((type) => notable.includes(type));
  const turn = ['snapshot.taken', 'evidence.begun', 'device.bound'];
  expect(types).toEqual([...turn, 'gap.noticed', ...turn]);
  const gap = ledger.events.find(({ type }) => type === 'gap.noticed');
  expect(gap?.data).toMatchObject({
    reason: 'the tracer is gone: it ended with exit code 3: out of memory',
    group: null,
  });
  expect(ledger.at(gap?.position).group('26').owner.kind).toBe('unknown');
  await ledger.close();
});

test('lines that tell of what is lost, and lines that nobody can read, end nothing', async () => {
  const log = join(folder, 'lossy.ledger');
  const lost = '{"type": "lost_events", "data": {"events": 7}}';
  const shows = tracer('lossy', [attached, opened, '{"torn', lost, device], 'sleep 60');
  const { out } = await record(log, '--for', '2', '--json', '--tracer', shows);
  expect(JSON.parse(out)).toMatchObject({ read: 5, rejectedCount: 1 });
  const types = await typesIn(log);
  expect(types.slice(types.lastIndexOf('iommufd.opened'))).toEqual([
    'iommufd.opened',
    'gap.noticed',
    'device.opened',
  ]);
});

test('what ftrace prints is read as well', async () => {
  const log = join(folder, 'ftrace.ledger');
  const line = (at: string, event: string) => `  vmm-4711  [000] .....   ${at}: ${event}`;
  const lines = [
    '# vfio-ledger: Linux 6.12.9',
    line('8.995386', 'sys_openat(dfd: 4294967196, filename: 4829373 "/dev/iommu", flags: O_RDWR)'),
    line('8.995539', 'open_path: (do_sys_openat2+0x0/0xe0) flags=0x2 path="/dev/iommu"'),
    line('8.996329', 'fd_install: (fd_install+0x4/0x80) fd=3 file=0xff11000005cf9240'),
    line('8.996353', 'sys_openat -> 0x3'),
  ];
  const args = ['--with', 'ftrace', '--for', '2', '--tracer', tracer('ft', lines, 'sleep 60')];
  expect(await record(log, ...args)).toMatchObject({ code: 0 });
  expect(await typesIn(log)).toContain('iommufd.opened');
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it, and nothing is lost', async (signal) => {
  const log = join(folder, `${signal}.ledger`);
  const pid = join(folder, `${signal}.pid`);
  const last = join(folder, `${signal}.last`);
  writeFileSync(last, `${bound}\n`);
  const then = `trap 'cat ${last}; exit 0' TERM\necho $$ >${pid}\nwhile :; do sleep 0.05; done`;
  const shows = tracer(signal, [attached, opened, device], then);
  const isDone = (types: readonly string[]) => types.includes('device.opened');
  const { code, out } = await recordUntil(log, isDone, ['--tracer', shows], { signal });
  expect(code).toBe(0);
  expect(out).toMatch(/^\d+ events recorded in .*, from 4 lines\n$/);
  expect((await typesIn(log)).at(-1)).toBe('device.bound');
  expect(isAlive(readFileSync(pid, 'utf8').trim())).toBe(false);
});

test.each(inCampaigns)('one that never lasts ends it with what it said, %s', async () => {
  const log = join(folder, 'never.ledger');
  const silent = await record(log, '--tracer', 'echo no kprobes here >&2; exit 1');
  expect(silent).toMatchObject({ code: 4, out: '' });
  expect(silent.err).toBe('vfio-ledger: the tracer: it ended with exit code 1: no kprobes here\n');
  const dying = await record(log, '--tracer', tracer('dying', [attached], 'exit 9'));
  expect(dying.code).toBe(4);
  expect(dying.err).toMatch(/the tracer died 5 times in a row: it ended with exit code 9\n$/);
  const gaps = (await typesIn(log)).filter((type) => type === 'gap.noticed');
  expect(gaps).toHaveLength(5);
  expect(await record(log, '--with', 'dtrace')).toMatchObject({ code: 2 });
  expect(await record(log, '--for', 'ever')).toMatchObject({ code: 2 });
});

test('a log of a simulation takes no recording', async () => {
  const log = join(folder, 'simulated.ledger');
  const topology = ['--topology', 'examples/host.topology.json'];
  const scenario = 'examples/two-contexts.scenario';
  await run(['simulate', ...topology, '--log', log, scenario]);
  const shows = tracer('simulated', [attached], 'sleep 60');
  expect(await record(log, '--for', '1', '--tracer', shows)).toMatchObject({ code: 2 });
});

test('it waits for a tracer that it can ask until that is at work', async ({ skip }) => {
  const hasStrace = spawnSync('strace', ['-V']).error === undefined;
  skip(!hasStrace || process.getuid?.() !== 0, 'needs strace and root, to see the recorder look');
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const lines = join(folder, 'asked.txt');
  const go = join(folder, 'asked.go');
  writeFileSync(lines, `${opened}\n${device}\n${bound}\n`);
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
echo '${printed(50, 'open', '"flags":2,"rc":9,"file":"0xff09","path":"/dev/iommu"')}'
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
