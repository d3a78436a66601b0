import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../ledger.ts';
import { recordHost, type RecordReport } from '../../recorder/record-host.ts';
import type { HostTracer } from '../../recorder/tracer.ts';
import { temporaryFolder } from '../log/folder.ts';
import { copiedHost } from '../support/copied-host.ts';
import { inCampaigns } from '../support/effort.ts';
import {
  attached,
  bound,
  closed,
  deviceOpened,
  endOf,
  opened,
  tracerLine,
} from './tracer-scripts.ts';

const folder = temporaryFolder();

const root = copiedHost(join(folder, 'host'), {
  devices: [{ device: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio0' }],
  processes: [{ pid: 90, comm: 'old-vmm', descriptors: { 5: '/dev/iommu' } }],
});

function tracer(
  name: string,
  lines: readonly string[],
  then: string,
  before: readonly string[] = [],
): HostTracer {
  const line = tracerLine(join(folder, name), lines, then, before);
  return {
    name: 'the tracer',
    format: 'bpftrace',
    command: ['sh', '-c', line],
    showsProbes: false,
  };
}

const typesIn = (ledger: Ledger) => ledger.events.map(({ type }) => type);

interface Recording {
  readonly report: RecordReport;
  readonly warnings: readonly string[];
}

/** Records until the log holds what is waited for. */
async function recordUntil(
  ledger: Ledger,
  hostTracer: HostTracer,
  isDone: (types: readonly string[]) => boolean,
): Promise<Recording> {
  const ending = new AbortController();
  const warnings: string[] = [];
  const report = await recordHost(ledger, {
    tracer: hostTracer,
    root,
    signal: AbortSignal.any([ending.signal, AbortSignal.timeout(40_000)]),
    progress: () => {
      if (isDone(typesIn(ledger))) ending.abort();
    },
    warn: (message) => warnings.push(message),
  });
  return { report, warnings };
}

test('the host as it was read, and what the tracer shows from then on', async () => {
  await using ledger = await openLedger(':memory:');
  const shows = tracer('goes-on', [attached, opened, deviceOpened, bound], 'sleep 60');
  const { report, warnings } = await recordUntil(ledger, shows, (types) =>
    types.includes('device.bound'),
  );
  expect(warnings).toEqual([]);
  expect(report).toEqual({
    appended: ledger.length,
    read: 4,
    unknown: 0,
    rejectedCount: 0,
    starts: 1,
  });
  const types = typesIn(ledger);
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
  expect(ledger.verify().faults).toEqual([]);
  // Everything is known from the end of the reading on.
  const reading = types.indexOf('snapshot.taken');
  expect(ledger.coverage().unknown).toMatchObject([{ subject: null, from: 0, to: reading }]);
});

test('a tracer that dies leaves a gap, and another goes on after a fresh reading', async () => {
  await using ledger = await openLedger(':memory:');
  const again = join(folder, 'again');
  const then = `if [ -e ${again} ]; then sleep 60; fi; : >${again}; echo 'out of memory' >&2; exit 3`;
  const shows = tracer('dies', [attached, opened, deviceOpened, bound, closed], then);
  const { report, warnings } = await recordUntil(
    ledger,
    shows,
    (types) => types.filter((type) => type === 'descriptor.closed').length === 2,
  );
  expect(report).toMatchObject({ starts: 2, read: 10 });
  const reason = 'the tracer is gone: it ended with exit code 3: out of memory';
  expect(warnings).toEqual([`${reason}; starting it again`]);
  const notable = ['snapshot.taken', 'evidence.begun', 'gap.noticed', 'device.bound'];
  const types = typesIn(ledger).filter((type) => notable.includes(type));
  const turn = ['snapshot.taken', 'evidence.begun', 'device.bound'];
  expect(types).toEqual([...turn, 'gap.noticed', ...turn]);
  const gap = ledger.events.find(({ type }) => type === 'gap.noticed');
  expect(gap?.data).toMatchObject({ reason, group: null });
  expect(ledger.at(gap?.position).group('26').owner.kind).toBe('unknown');
  // From the last line of the first tracer to the second reading, anything may have happened.
  const [first, second] = ledger.events.flatMap(({ type, position }) =>
    type === 'snapshot.taken' ? position : [],
  );
  expect(ledger.coverage().unknown).toMatchObject([
    { from: 0, to: first },
    { from: (gap?.position ?? 0) - 1, to: second, reason: `the evidence has a gap: ${reason}` },
  ]);
});

test('lines that tell of what is lost, and lines that nobody can read, end nothing', async () => {
  await using ledger = await openLedger(':memory:');
  const lost = '{"type": "lost_events", "data": {"events": 7}}';
  const lines = [attached, opened, '{"torn', lost, deviceOpened];
  const { report } = await recordUntil(ledger, tracer('lossy', lines, 'sleep 60'), (types) =>
    types.includes('device.opened'),
  );
  expect(report).toMatchObject({ read: 5, rejectedCount: 1 });
  const types = typesIn(ledger);
  expect(types.slice(types.lastIndexOf('iommufd.opened'))).toEqual([
    'iommufd.opened',
    'gap.noticed',
    'gap.noticed',
    'device.opened',
  ]);
});

test('what ftrace prints is read as well', async () => {
  await using ledger = await openLedger(':memory:');
  const line = (at: string, event: string) => `  vmm-4711  [000] .....   ${at}: ${event}`;
  const lines = [
    '# vfio-ledger: Linux 6.12.9',
    line('8.995386', 'sys_openat(dfd: 4294967196, filename: 4829373 "/dev/iommu", flags: O_RDWR)'),
    line('8.995539', 'open_path: (do_sys_openat2+0x0/0xe0) flags=0x2 path="/dev/iommu"'),
    line('8.996329', 'fd_install: (fd_install+0x4/0x80) fd=3 file=0xff11000005cf9240'),
    line('8.996353', 'sys_openat -> 0x3'),
  ];
  const shows = { ...tracer('ft', lines, 'sleep 60'), format: 'ftrace' } as const;
  const opens = (types: readonly string[]) =>
    types.filter((type) => type === 'iommufd.opened').length;
  const { report } = await recordUntil(ledger, shows, (types) => opens(types) === 2);
  expect(report).toMatchObject({ read: lines.length, rejectedCount: 0 });
  expect(ledger.who('pid:4711').holders).toMatchObject([{ fd: 3 }]);
});

test('told to end, the tracer ends first, and its last lines are appended', async () => {
  await using ledger = await openLedger(':memory:');
  const last = join(folder, 'last');
  const pid = join(folder, 'pid');
  writeFileSync(last, `${bound}\n`);
  const before = [`trap 'cat ${last}; exit 0' TERM`, `echo $$ >${pid}`];
  const lines = [attached, opened, deviceOpened];
  const shows = tracer('ending', lines, 'while :; do sleep 0.05; done', before);
  const isDone = (types: readonly string[]) => types.includes('device.opened');
  const { report } = await recordUntil(ledger, shows, isDone);
  expect(report).toMatchObject({ read: 4, starts: 1 });
  expect(typesIn(ledger).at(-1)).toBe('device.bound');
  await endOf(pid);
});

test('one that never attaches ends it with what it said', async () => {
  await using ledger = await openLedger(':memory:');
  const silent = tracer('silent', [], 'echo no kprobes here >&2; exit 1');
  await expect(recordUntil(ledger, silent, () => false)).rejects.toMatchObject({
    code: 'unavailable',
    message: 'the tracer: it ended with exit code 1: no kprobes here',
  });
  expect(ledger.length).toBe(0);
});

test.each(inCampaigns)('one that never lasts ends it, %s', async () => {
  await using ledger = await openLedger(':memory:');
  const dying = tracer('dying', [attached], 'exit 9');
  await expect(recordUntil(ledger, dying, () => false)).rejects.toMatchObject({
    code: 'unavailable',
    message: 'the tracer died 5 times in a row: it ended with exit code 9',
  });
  expect(typesIn(ledger).filter((type) => type === 'gap.noticed')).toHaveLength(5);
});
