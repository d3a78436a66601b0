/**
 * Traces that show when the kernel releases files: a file of which no release is shown is alive, whatever
 * was closed.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openLedger, type Holder, type Ledger } from '../../ledger.ts';

const DEVICE = '0000:3b:00.0';
const TOPOLOGY = JSON.stringify({
  kernel: '6.12.0',
  iommufd: true,
  devices: [
    { name: 'nic', bdf: DEVICE, model: 'e1000e', group: 26, driver: 'vfio-pci', cdev: 'vfio0' },
  ],
});

/** Lines as `recorder/vfio.bt` prints them, of process 7 unless they say another. */
function bpftrace(...records: readonly string[]): string {
  return records
    .map((record, index) => {
      if (record.startsWith('Lost')) return record;
      const pid = /"pid":/.test(record) ? '' : '"pid":7,"tid":7,"comm":"qemu",';
      return `{"t":${(index + 1) * 1_000_000},${pid}${record}}`;
    })
    .map((line) => `${line}\n`)
    .join('');
}

const opened = (path: string, fd: number, file: string) =>
  `"ev":"open","flags":524290,"rc":${fd},"file":"${file}","path":"${path}"`;
const closed = (fd: number) => `"ev":"close","fd":${fd},"rc":0`;
const released = (kind: string, file: string) => `"ev":"${kind}_release","file":"${file}"`;
const [IOMMUFD, CDEV, GROUP, CONTAINER] = ['0xff10', '0xff11', '0xff12', '0xff13'];

/** A device that is bound to an iommufd by its cdev. */
const bound = [
  opened('/dev/iommu', 3, IOMMUFD),
  opened('/dev/vfio/devices/vfio0', 4, CDEV),
  '"ev":"ioctl","fd":4,"cmd":"0x3b76","argsz":16,"flags":0,"iommufd":3,"id":1,"rc":0',
];

/** An iommufd that comes and goes. */
const earlier = [opened('/dev/iommu', 3, '0xff20'), released('iommufd', '0xff20'), closed(3)];

/** A group in a container, and a device that was obtained from it. */
const contained = [
  opened('/dev/vfio/vfio', 3, CONTAINER),
  opened('/dev/vfio/26', 4, GROUP),
  '"ev":"ioctl","fd":4,"cmd":"0x3b68","container":3,"rc":0',
  '"ev":"ioctl","fd":3,"cmd":"0x3b66","value":1,"rc":0',
];
const obtained = `"ev":"ioctl","fd":4,"cmd":"0x3b6a","rc":5,"file":"${CDEV}","dev":"${DEVICE}"`;

async function imported(text: string, format: string): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  const report = await ledger.import(text, { format, topology: TOPOLOGY });
  expect(report).toMatchObject({ rejected: [] });
  return ledger;
}

const after = (ledger: Ledger, type: string) =>
  ledger.events.findLast((event) => event.type === type)?.position ?? -1;
const ownerAt = (ledger: Ledger, position: number | 'end') => ledger.at(position).group('26').owner;
const unnamed = expect.objectContaining<Partial<Holder>>({ pid: null, comm: null, via: 'queue' });

describe('bpftrace', () => {
  test('a close that no release follows leaves the file alive, and its owner', async () => {
    // dup2(4, 9) was missed.
    const ledger = await imported(bpftrace(...bound, closed(4), closed(3)), 'bpftrace');
    const owner = ownerAt(ledger, 'end');
    expect(owner).toMatchObject({ kind: 'iommufd', holders: [unnamed] });
    expect(ledger.at('end').device(DEVICE)).toMatchObject({ state: 'bound' });
    expect(ledger.history('26').at(-1)).toMatchObject({ to: null, owner: { kind: 'iommufd' } });
    expect(ledger.verify().faults).toEqual([]);
  });

  test('a process that got the file unseen has it from the line on that shows it', async () => {
    const third = `"pid":9,"tid":9,"comm":"third","ev":"install","fd":6,"file":"${CDEV}"`;
    const records = [...bound, closed(4), third];
    const ledger = await imported(bpftrace(...records), 'bpftrace');
    const passed = after(ledger, 'descriptor.passed');
    expect(ledger.event(passed)?.data).toMatchObject({ pid: 7, fd: 4, to: 9, as: 6 });
    expect(ownerAt(ledger, passed - 1).holders).toContainEqual(unnamed);
    const hand = { pid: 9, comm: 'third', via: 'fd', fd: 6 };
    expect(ownerAt(ledger, 'end').holders).toEqual([
      expect.objectContaining({ pid: 7, fd: 3 }),
      expect.objectContaining(hand),
    ]);
    expect(ledger.history('26').at(-1)?.hands).toContainEqual(
      expect.objectContaining({ ...hand, from: passed, to: null }),
    );
    expect(ledger.attest('never-owned', '26', 'comm:third').verdict).toBe('refuted');
    expect(ledger.verify().faults).toEqual([]);
  });

  test('it may pass the file on again, and the kernel keeps what its last known holder closed', async () => {
    const third = `"pid":9,"tid":9,"comm":"third","ev":"install","fd":6,"file":"${CDEV}"`;
    const closes = '"pid":9,"tid":9,"comm":"third","ev":"close","fd":6,"rc":0';
    const fourth = `"pid":10,"tid":10,"comm":"fourth","ev":"install","fd":5,"file":"${CDEV}"`;
    const records = [...bound, closed(4), third, closes, fourth, released('device', CDEV)];
    const ledger = await imported(bpftrace(...records), 'bpftrace');
    const end = after(ledger, 'file.released');
    expect(ownerAt(ledger, end - 1).holders).toContainEqual(
      expect.objectContaining({ pid: 10, fd: 5 }),
    );
    expect(ownerAt(ledger, end - 1).holders).not.toContainEqual(unnamed);
    expect(ledger.verify().faults).toEqual([]);
  });

  test('until its release is shown', async () => {
    const records = [...bound, closed(4), closed(77), released('device', CDEV)];
    const ledger = await imported(bpftrace(...records), 'bpftrace');
    const end = after(ledger, 'file.released');
    expect(ownerAt(ledger, end - 1).kind).toBe('iommufd');
    expect(ownerAt(ledger, end).kind).toBe('none');
    expect(ledger.history('26').at(-1)).toMatchObject({ from: end, owner: { kind: 'none' } });
    expect(ledger.verify().faults).toEqual([]);
  });

  test('a release within the call is that of the close', async () => {
    const records = [...bound, released('device', CDEV), closed(4)];
    const ledger = await imported(bpftrace(...records), 'bpftrace');
    expect(ownerAt(ledger, after(ledger, 'descriptor.closed')).kind).toBe('none');
    expect(ledger.events.map(({ data }) => ('pid' in data ? data.pid : 7))).not.toContain(
      0x40_0000,
    );
    expect(ledger.verify().faults).toEqual([]);
  });

  test('what a process held when it exited is alive until each release', async () => {
    const records = [
      ...earlier,
      ...bound,
      '"ev":"exit"',
      released('device', CDEV),
      released('iommufd', IOMMUFD),
    ];
    const ledger = await imported(bpftrace(...records), 'bpftrace');
    const exit = after(ledger, 'process.exited');
    expect(ownerAt(ledger, exit)).toMatchObject({ kind: 'iommufd', holders: [unnamed] });
    expect(ownerAt(ledger, exit + 1).kind).toBe('none');
    expect(ledger.at('end').table().files).toEqual([]);
    expect(ledger.verify().faults).toEqual([]);
  });

  test('but for the first of a trace: one that shows none would keep it for ever', async () => {
    const ledger = await imported(bpftrace(...bound, '"ev":"exit"'), 'bpftrace');
    expect(ownerAt(ledger, 'end').kind).toBe('none');
  });

  test('so is what an exec closed, and what a dup2 replaced', async () => {
    const exec = [...bound, '"ev":"exec","path":"/bin/true"'];
    const dup2 = [...bound, '"ev":"dup","fd":3,"to":4,"cloexec":0,"rc":4'];
    for (const records of [exec, dup2]) {
      const ledger = await imported(bpftrace(...records, closed(77)), 'bpftrace');
      const owner = ownerAt(ledger, 'end');
      expect(owner.kind).toBe('iommufd');
      expect(owner.holders).toContainEqual(unnamed);
      const end = bpftrace(...records, closed(77), released('device', CDEV));
      expect(ownerAt(await imported(end, 'bpftrace'), 'end').kind).toBe('none');
    }
  });

  test('a file that another one keeps alive has no further holder', async () => {
    const records = [...contained, obtained, closed(4)];
    const ledger = await imported(bpftrace(...records), 'bpftrace');
    expect(ownerAt(ledger, 'end')).toMatchObject({
      kind: 'container',
      holders: [{ pid: 7, via: 'fd', fd: 5 }],
    });
  });

  test('it is released after that one, or it lives on', async () => {
    const records = [...contained, obtained, closed(4), closed(5), released('device', CDEV)];
    const ledger = await imported(bpftrace(...records), 'bpftrace');
    expect(ownerAt(ledger, 'end')).toMatchObject({ kind: 'container', holders: [unnamed] });
    const whole = bpftrace(...records, released('group', GROUP));
    expect(ownerAt(await imported(whole, 'bpftrace'), 'end').kind).toBe('none');
  });

  test('lost events may be releases: the owner is unknown, and nobody holds the file', async () => {
    const ledger = await imported(bpftrace(...bound, closed(4), 'Lost 3 events'), 'bpftrace');
    expect(ownerAt(ledger, 'end').kind).toBe('unknown');
    const files = ledger
      .at('end')
      .table()
      .files.map(({ kind }) => kind);
    expect(files).toEqual(['iommufd']);
    const later = bpftrace(...bound, 'Lost 3 events', closed(4));
    expect((await imported(later, 'bpftrace')).at('end').device(DEVICE).files).toEqual([]);
  });

  test('another file at the same address shows that it was released', async () => {
    const again = opened('/dev/vfio/devices/vfio0', 5, CDEV);
    const ledger = await imported(bpftrace(...bound, closed(4), again), 'bpftrace');
    expect(ledger.at('end').device(DEVICE).files).toMatchObject([{ holders: [{ pid: 7, fd: 5 }] }]);
  });

  test('an old trace without addresses keeps device files, from its first line on', async () => {
    const records = bound.map((record) => record.replace(/"file":"\w+"/, '"file":"0x0"'));
    const ledger = await imported(bpftrace(...records, closed(4), closed(3)), 'bpftrace');
    expect(ownerAt(ledger, 'end')).toMatchObject({ kind: 'iommufd', holders: [unnamed] });
    const end = bpftrace(...records, closed(4), released('device', '0xaaaa'));
    expect(ownerAt(await imported(end, 'bpftrace'), 'end').kind).toBe('none');
  });
});

describe('ftrace', () => {
  const line = (seconds: number, event: string) =>
    `qemu-7 [000] ..... ${seconds}.000000: ${event}\n`;
  const open = (seconds: number, kind: string, path: string, fd: number, file: string) =>
    [
      `open_path: (do_sys_openat2+0x4/0xd0) flags=0x80002 path="${path}"`,
      `${kind}_open: (x+0x4/0x70 [vfio]) file=${file}`,
      `fd_install: (fd_install+0x4/0x70) fd=${fd} file=${file}`,
    ]
      .map((event) => line(seconds, event))
      .join('');
  const trace =
    open(1, 'iommufd', '/dev/iommu', 3, IOMMUFD) +
    open(2, 'cdev', '/dev/vfio/devices/vfio0', 4, CDEV) +
    line(3, 'sys_ioctl(fd: 4, cmd: 3b76, arg: 7ffc0)') +
    line(3, 'bind: (vfio_df_ioctl_bind_iommufd+0x4/0x2b0 [vfio]) argsz=16 flags=0x0 iommufd=3') +
    line(3, 'cdev_ioctl_ret: (x <- vfio_device_fops_unl_ioctl) ret=0') +
    [4, 3].map((fd) => line(4, `sys_close(fd: ${fd})`) + line(4, 'sys_close -> 0x0')).join('');

  test('shows releases, too', async () => {
    const ledger = await imported(trace, 'ftrace');
    expect(ownerAt(ledger, 'end')).toMatchObject({ kind: 'iommufd', holders: [unnamed] });
    const end = `${trace}${line(5, `device_release: (x+0x4/0x50 [vfio]) file=${CDEV}`)}`;
    expect(ownerAt(await imported(end, 'ftrace'), 'end').kind).toBe('none');
  });

  test('a device that is named later is told as closed and opened: that is no close', async () => {
    const file = new URL('flows/linux-7.3/questions.ftrace.txt.gz', import.meta.url);
    const ledger = await openLedger(':memory:');
    const text = gunzipSync(readFileSync(file)).toString();
    await ledger.import(text, { format: 'ftrace', profile: 'linux-7.3' });
    const rules = ledger.events.map(({ data }) => data.evidence?.rule);
    expect(rules).toContain('named-by-the-trace');
    const details = ledger.verify().faults.map(({ detail }) => detail);
    expect(details.filter((detail) => detail.includes('does not admit'))).toEqual([]);
  });

  test('unless it says that it could not set the probe', async () => {
    const notice = '# no probe: device_release (vfio_device_fops_release@vfio)\n';
    const ledger = await imported(notice + trace, 'ftrace');
    expect(ownerAt(ledger, 'end').kind).toBe('none');
  });
});

test('strace shows no releases: a file dies with its last known holder', async () => {
  const ledger = await imported(
    [
      '7 openat(AT_FDCWD, "/dev/iommu", O_RDWR) = 3',
      '7 openat(AT_FDCWD, "/dev/vfio/devices/vfio0", O_RDWR) = 4',
      '7 ioctl(4, VFIO_DEVICE_BIND_IOMMUFD, {argsz=16, flags=0, iommufd=3} => {out_devid=1}) = 0',
      '7 close(4) = 0',
    ].join('\n'),
    'strace',
  );
  expect(ownerAt(ledger, 'end').kind).toBe('none');
});

test('in a log of schema 4 a close that is the last one releases the file', async () => {
  const told = await imported(bpftrace(...bound, closed(4)), 'bpftrace');
  const lines = told.events.map(({ hash: _hash, ...event }) => {
    const { releaseShown: _shown, ...data } = event.data as { releaseShown?: true };
    return JSON.stringify({ ...event, schema: 4, data });
  });
  const ledger = await openLedger(':memory:');
  const end = JSON.stringify({ end: { events: lines.length } });
  await ledger.import([...lines, end].join('\n'), { format: 'events' });
  expect(ownerAt(ledger, 'end').kind).toBe('none');
});

test('a close that another source shows is judged without releases', async () => {
  const ledger = await imported(bpftrace(...bound), 'bpftrace');
  const evidence = { source: 'snapshot', line: null, certainty: 'inferred' };
  const data = { pid: 7, fd: 4, evidence };
  const event = { id: 'gone', time: null, schema: 5, type: 'descriptor.closed', data };
  const lines = [{ ...event, position: ledger.length }, { end: { events: 1 } }];
  await ledger.import(lines.map((one) => JSON.stringify(one)).join('\n'), { format: 'events' });
  expect(ownerAt(ledger, 'end').kind).toBe('none');
});
