import { describe, expect, test } from 'vitest';
import type { Source } from '../../evidence/source.ts';
import { openLedger, type ImportSettings, type Ledger } from '../../ledger.ts';

const DEVICE = '0000:c4:00.0';

async function pasted(text: string, settings: ImportSettings = {}) {
  const ledger = await openLedger(':memory:');
  const report = await ledger.import(text, settings);
  return { ledger, report };
}

const refusals = (ledger: Ledger) =>
  [...ledger.each('operation.refused')].map(({ time, data }) => ({ time, ...data }));

const busy = (group: number) => `Cannot open /dev/vfio/${group}: Device or resource busy`;
const lsof = 'l2fwd    2718 root   47u   CHR  243,0      0t0  812 /dev/vfio/57';
const HEADER = 'COMMAND   PID USER   FD   TYPE DEVICE SIZE/OFF NODE NAME';
const relaying = `vfio-pci ${DEVICE}: Relaying device request to user (#0)`;

describe('one paste, many kinds of lines', () => {
  const text = [
    'Hi, my second VM does not start any more since the update:',
    '',
    `root@lab:~# ./testpmd -a ${DEVICE}`,
    `EAL: ${busy(57)}`,
    'root@lab:~# lsof /dev/vfio/57',
    HEADER,
    lsof,
    lsof.replace('47u', '46u').replace('243,0 ', '10,196').replace('/57', '/vfio'),
    'root@lab:~# dmesg | tail -n 3',
    `[   12.345678] pci ${DEVICE}: Adding to iommu group 57`,
    '[   13.000000] usb 1-1: new high-speed USB device number 2 using xhci_hcd',
    `[  188.562656] ${relaying}`,
    'Any ideas?',
  ].join('\n');

  test('each line goes to the reader that it says something to', async () => {
    const { ledger, report } = await pasted(text);
    expect(report).toMatchObject({
      read: 13,
      passedOver: 8,
      unknown: 0,
      rejectedCount: 0,
      seen: { refusal: 1, lsof: 2, kernel: 2 },
    });
    expect(refusals(ledger)).toMatchObject([{ operation: 'open_group', errno: 'EBUSY' }]);
    expect(ledger.who('g57').holders).toMatchObject([{ pid: 2718, comm: 'l2fwd', fd: 47 }]);
    expect(ledger.who(DEVICE).waiters).toHaveLength(1);
    expect(ledger.at('end').device(DEVICE).group).toBe('57');
    expect(ledger.verify().faults).toEqual([]);
  });

  test('with a format, only its reader reads', async () => {
    const { ledger, report } = await pasted(text, { format: 'fdinfo' });
    expect(refusals(ledger)).toEqual([]);
    expect(report).toMatchObject({ appended: ledger.length });
    expect(ledger.who('g57').holders).toHaveLength(1);
  });

  test('imported twice, it adds nothing', async () => {
    const { ledger } = await pasted(text);
    expect(await ledger.import(text)).toMatchObject({ appended: 0 });
  });

  test('a trace between is read as one', async () => {
    const call = 'openat(AT_FDCWD, "/dev/vfio/57", O_RDWR) = -1 EBUSY (Device or resource busy)';
    const { ledger, report } = await pasted(
      `[    1.000000] pci ${DEVICE}: Adding to iommu group 57\n$ strace -f ./vmm\n812 ${call}\n$`,
    );
    expect(refusals(ledger)).toMatchObject([{ operation: 'open_group', pid: 812 }]);
    expect(report).toMatchObject({ read: 4, passedOver: 2, seen: { kernel: 1 } });
    expect(ledger.verify().faults).toEqual([]);
  });

  test('a listing behind a trace is read as one', async () => {
    const call = 'openat(AT_FDCWD, "/dev/vfio/57", O_RDWR) = -1 EBUSY (Device or resource busy)';
    const { ledger, report } = await pasted(`812 ${call}\n$ lsof /dev/vfio/57\n${HEADER}\n${lsof}`);
    expect(ledger.who('g57').holders).toMatchObject([{ pid: 2718, fd: 47 }]);
    expect(report).toMatchObject({ read: 4, rejectedCount: 2, seen: { lsof: 1 } });
    expect(ledger.verify().faults).toEqual([]);
  });

  test('what a terminal has broken counts once', async () => {
    const line = `[  188.562656] vfio-pci ${DEVICE}: Device is currently in use, task "driverctl" (2718) blocked until device is released`;
    for (const width of [72, 80, 95, 132]) {
      const broken = line.match(new RegExp(`.{1,${width}}`, 'g'))?.join('\n') ?? '';
      const { ledger, report } = await pasted(`${broken}\nbye`);
      expect(report).toMatchObject({ passedOver: 1, rejected: [], rejectedCount: 0 });
      expect(ledger.who(DEVICE).waiters).toMatchObject([{ pid: 2718, comm: 'driverctl' }]);
    }
    // The lines keep their numbers though the first of them waits for the second.
    const full = `EAL: ${busy(57)}`.padEnd(80, '!');
    const { ledger } = await pasted(`${full}\nEAL: ${busy(58)}`);
    const lines = refusals(ledger).map(({ evidence }) => evidence?.line);
    expect(lines).toEqual([1, 2]);
  });
});

describe('two lines are one message only if it surely goes on', () => {
  const pad = (text: string, width: number) => text.padEnd(width, 'x');
  test.each([
    [
      [
        'vmm: now opening VFIO group /dev/vfio/57 for the device of guest lab1',
        'Permission denied (publickey).',
      ],
    ],
    [
      [
        pad('vmm: now opening VFIO group /dev/vfio/57 for the device of guest ', 80),
        'Permission denied (publickey).',
      ],
    ],
    [
      [
        pad('vmm: now opening VFIO group /dev/vfio/57 for the device of guest ', 80),
        'sh: x: Permission denied',
      ],
    ],
    [
      [
        'vmm: now opening VFIO group /dev/vfio/57 for the device of guest lab1',
        'error: invalid argument',
      ],
    ],
  ])('%j', async (lines) => {
    const { ledger } = await pasted(lines.join('\n'));
    expect(refusals(ledger)).toEqual([]);
  });

  test('a mail breaks between words', async () => {
    const { ledger } = await pasted(
      `> qemu-system-x86_64: vfio ${DEVICE}: failed to open /dev/vfio/57: Device or\n> resource busy`,
    );
    expect(refusals(ledger)).toMatchObject([{ operation: 'open_group', errno: 'EBUSY' }]);
  });
});

describe('what says nothing', () => {
  test.each([
    ['prose', 'My GPU is broken.\nPlease help.'],
    ['another log', 'Mar  4 12:00:00 lab sshd[17]: Accepted publickey for root'],
    ['a kernel without VFIO', '[    1.000000] usb 1-1: new high-speed USB device'],
    ['a trace of something else', '812 openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3'],
    ['many lines', 'nothing\n'.repeat(1000)],
  ])('is bad evidence: %s', async (_, text) => {
    await expect(pasted(text)).rejects.toThrow(/^text: no line says anything of VFIO/);
  });

  test('a line about VFIO that breaks off is rejected, and not nothing', async () => {
    const { report } = await pasted(`pci ${DEVICE}: Adding to iommu group`);
    expect(report).toMatchObject({ appended: 0, rejectedCount: 1 });
  });

  test('is passed over before and behind what says something, however much it is', async () => {
    const noise = 'Mar  4 12:00:00 lab sshd[17]: Accepted publickey for root\n'.repeat(5000);
    const ledger = await openLedger(':memory:');
    const chunks = [noise, `vmm: ${busy(57)}\n${noise}`, `vmm: ${busy(58)}\n`, noise];
    const report = await ledger.importSources([{ name: 'big', chunks }]);
    expect(report).toMatchObject({ read: 15_002, passedOver: 15_000, seen: { refusal: 2 } });
    const lines = refusals(ledger).map(({ evidence }) => evidence?.line);
    expect(lines).toEqual([5001, 10_002]);
  });
});

describe('told twice is one', () => {
  const tpu = `UNKNOWN: TPU initialization failed: open(/dev/vfio/57): Device or resource busy`;
  const moment = '2026-03-04T05:06:07.123456Z';
  const qemu = `${moment} qemu-system-x86_64: -device vfio-pci,host=${DEVICE}: vfio ${DEVICE}: failed to open /dev/vfio/57: Device or resource busy`;
  test.each([
    [
      'a traceback',
      [
        'Traceback (most recent call last):',
        '  File "/usr/lib/python3/site-packages/jax/xla_bridge.py", line 909, in backends',
        `jaxlib.xla_extension.XlaRuntimeError: ${tpu}`,
        '',
        'During handling of the above exception, another exception occurred:',
        '',
        `RuntimeError: Unable to initialize backend 'tpu': ${tpu} (set JAX_PLATFORMS='')`,
      ],
    ],
    [
      'a log and the error that ends the program',
      [
        "2026-03-04 05:06:07,123 ERROR vmm: [Errno 16] Device or resource busy: '/dev/vfio/57'",
        "OSError: [Errno 16] Device or resource busy: '/dev/vfio/57'",
      ],
    ],
    [
      "virsh and the domain's log",
      [
        `error: Failed to start domain 'lab1'`,
        `error: internal error: qemu unexpectedly closed the monitor: ${qemu}`,
        '$ tail -n 1 /var/log/libvirt/qemu/lab1.log',
        qemu,
      ],
    ],
    [
      'three layers, 50 µs apart',
      [100, 150, 200].map(
        (micros) =>
          `Mar 04 05:06:07.000${micros} lab vmm[4711]: failed to open /dev/vfio/57: Device or resource busy`,
      ),
    ],
  ])('%s', async (_, lines) => {
    const { ledger } = await pasted(lines.join('\n'));
    expect(refusals(ledger)).toMatchObject([{ operation: 'open_group', errno: 'EBUSY' }]);
  });

  const told = (time: string, pid: number, group = 57) =>
    `Mar 04 05:06:${time} lab vmm[${pid}]: ${busy(group)}`;
  test.each([
    ['times', [told('07', 4711), told('08', 4711)]],
    ['moments', [told('07.100', 4711), told('07.200', 4711)]],
    ['processes', [told('07', 4711), told('07', 4712)]],
    ['groups', [told('07', 4711), told('07', 4711, 58)]],
    ['errnos', [`vmm: ${busy(57)}`, 'vmm: Cannot open /dev/vfio/57: Permission denied']],
    ['commands', ['$ ./vmm', `vmm: ${busy(57)}`, '$ ./vmm', `vmm: ${busy(57)}`]],
    ['hosts', [told('07', 4711), told('07', 4711).replace(' lab ', ' attic ')]],
    ['pods', [`[pod/dpdk-0/app] ${busy(57)}`, `[pod/dpdk-1/app] ${busy(57)}`]],
    ['services', [`dpdk-0  | ${busy(57)}`, `dpdk-1  | ${busy(57)}`]],
    [
      'conclusions',
      [
        `vfio: Cannot reset device ${DEVICE}, no available reset mechanism.`,
        `vfio: Cannot reset device ${DEVICE}, depends on group 58 which is not owned.`,
      ],
    ],
  ])('of other %s, they are two', async (_, lines) => {
    const { ledger } = await pasted(lines.join('\n'));
    expect(refusals(ledger)).toHaveLength(2);
  });

  test('what a second telling names tells the next ones apart', async () => {
    const { ledger } = await pasted(
      [busy(57), ...['07', '14', '21'].map((time, index) => told(time, 901 + index))].join('\n'),
    );
    expect(refusals(ledger)).toHaveLength(3);
  });

  test('in two files, too, if they give one exact time', async () => {
    const sources = (...texts: string[]): Source[] =>
      texts.map((text, index) => ({ name: `s${index}`, chunks: [text] }));
    const virsh = `error: internal error: qemu unexpectedly closed the monitor: ${qemu}`;
    const ledger = await openLedger(':memory:');
    await ledger.importSources(sources(virsh, qemu));
    expect(refusals(ledger)).toHaveLength(1);
    const two = await openLedger(':memory:');
    await two.importSources(sources(virsh, qemu.replace('07.123456', '08.123456')));
    expect(refusals(two)).toHaveLength(2);
  });
});
