import { describe, expect, test } from 'vitest';
import { dmesgParser, looksLikeDmesg } from '../../../evidence/messages/dmesg.ts';
import { pasteParser } from '../../../evidence/messages/log.ts';
import { openLedger } from '../../../ledger.ts';
import { lines, readLongLines, shownBy, surviveMutation } from './support.ts';

const STORY = `
[    0.000000] Linux version 6.12.57+deb13-amd64 (builder@lab) (gcc-14) #1 SMP
[    1.100000] pci 0000:41:00.0: Adding to iommu group 33
[    1.200000] usb 1-1: new high-speed USB device number 2 using xhci_hcd
[    9.000000] nvme 0000:41:00.0: platform quirk: setting simple suspend
[   20.500000] vfio-pci 0000:41:00.0: enabling device (0400 -> 0402)
[   20.600000] vfio-pci 0000:41:00.0: vfio_bar_restore: reset recovery - restoring BARs
[   30.000001] vfio-pci 0000:41:00.0: Relaying device request to user (#0)
[   30.100000] vfio-pci 0000:41:00.0: Device is currently in use, task "tee" (812) blocked until device is released
[   41.000000] nvme 0000:41:00.0: probing
[   50.000000] pci 0000:41:00.0: Removing from iommu group 33
`;

test('the log of a host: its groups, its drivers, and who waits', () => {
  const parser = dmesgParser();
  const device = '0000:41:00.0';
  expect(shownBy(parser, STORY)).toEqual([
    { did: 'boot', kernel: '6.12.57+deb13-amd64', boot: null, at: 0 },
    { did: 'plug', device, group: '33', driver: null, at: 1_100_000 },
    { did: 'plug', device, group: null, driver: 'vfio-pci', at: 20_500_000 },
    { did: 'wait', device, waiter: null, at: 30_000_001 },
    { did: 'wait', device, waiter: { pid: 812, comm: 'tee' }, at: 30_100_000 },
    { did: 'plug', device, group: null, driver: 'nvme', at: 41_000_000 },
    { did: 'unplug', device, at: 50_000_000 },
  ]);
  expect(parser.clock).toBe('uptime');
});

describe('messages', () => {
  const device = '0000:41:00.0';
  test.each([
    [
      'iommu: Adding device 0000:41:00.0 to group 7',
      { did: 'plug', device, group: '7', driver: null },
    ],
    ['iommu: Removing device 0000:41:00.0 from group 7', { did: 'unplug', device }],
    [
      'vfio_mdev 83B8F4F2-509f-382f-3c1e-e6bfe0fa1001: Adding to iommu group 9',
      {
        did: 'plug',
        device: '83b8f4f2-509f-382f-3c1e-e6bfe0fa1001',
        group: '9',
        driver: 'vfio_mdev',
      },
    ],
    [
      'vfio-pci: probe of 0000:41:00.0 failed with error -22',
      { did: 'bind-driver', device, driver: 'vfio-pci', result: { errno: 'EINVAL' } },
    ],
    [
      'vfio-pci 0000:41:00.0: probe with driver vfio-pci failed with error -16',
      { did: 'bind-driver', device, driver: 'vfio-pci', result: { errno: 'EBUSY' } },
    ],
    [
      'vfio_mdev 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001: MDEV: group_id = 9',
      {
        did: 'plug',
        device: '83b8f4f2-509f-382f-3c1e-e6bfe0fa1001',
        group: '9',
        driver: 'vfio_mdev',
      },
    ],
    [
      'vfio_mdev 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001: MDEV: detaching iommu',
      { did: 'unplug', device: '83b8f4f2-509f-382f-3c1e-e6bfe0fa1001' },
    ],
    [
      'vfio_pin_page_external: Task qemu-system-x86 (4242) RLIMIT_MEMLOCK (65536) exceeded',
      {
        did: 'report',
        operation: 'map_dma',
        group: null,
        device: null,
        errno: 'ENOMEM',
        cause: 'not-ownership',
        pid: 4242,
        comm: 'qemu-system-x86',
      },
    ],
    [
      'vfio_pin_pages_remote: RLIMIT_MEMLOCK (65536) exceeded',
      {
        did: 'report',
        operation: 'map_dma',
        group: null,
        device: null,
        errno: 'ENOMEM',
        cause: 'not-ownership',
      },
    ],
  ])('%s', (message, shown) => {
    expect(shownBy(dmesgParser(), `[    1.000000] ${message}`)).toEqual([
      { ...shown, at: 1_000_000 },
    ]);
  });

  test.each([
    'vfio-pci 0000:41:00.0: Removing from iommu group 0',
    'nvme: probe of 0000:42:00.0 failed with error -5',
    'VFIO - User Level meta-driver version: 0.3',
    'vfio_pci: add [10de:2204[ffffffff:ffffffff]] class 0x000000/00000000',
    'WARNING: CPU: 3 PID: 812 at drivers/vfio/vfio_main.c:600',
    'platform fd500000.pcie: Adding to iommu group 0',
    'nvme 0000:42:00.0: 8/0/0 default/read/poll queues',
  ])('%s: nothing', (message) => {
    expect(shownBy(dmesgParser(), `[    1.000000] ${message}`)).toEqual([]);
  });

  test('the one that opened a device without IOMMU is named, whatever it is called', () => {
    const said = (comm: string) =>
      shownBy(
        dmesgParser(),
        `[    1.000000] vfio-pci 0000:41:00.0: vfio-noiommu device opened by user (${comm}:53)`,
      )[1];
    const found = { did: 'find', fd: null, kind: 'device', device, group: null, at: 1_000_000 };
    expect(said('vpp')).toEqual({ ...found, pid: 53, comm: 'vpp' });
    expect(said('a (b):1) c')).toEqual({ ...found, pid: 53, comm: 'a (b):1) c' });
  });

  test('a mapping that the firmware asks for is no matter of ownership; the group is known', () => {
    const text = `
[    1.000000] pci 0000:41:00.0: Adding to iommu group 33
[    2.000000] vfio-pci 0000:41:00.0: Firmware has requested this device have a 1:1 IOMMU mapping, rejecting`;
    expect(shownBy(dmesgParser(), text)).toContainEqual({
      did: 'report',
      operation: 'set_container',
      group: '33',
      device,
      errno: 'EINVAL',
      cause: 'not-ownership',
      at: 2_000_000,
    });
  });

  test.each([
    'vfio-pci 0000:41:00.0: Device is currently in use, task "tee" (8',
    'vfio-pci 0000:41:00.0: vfio-noiommu device opened by user (vp',
    'pci 0000:41:00.0: Adding to iommu group',
  ])('rejected, for it breaks off: %s', (message) => {
    expect(() => dmesgParser().line(`[    1.000000] ${message}`)).toThrow('breaks off');
  });
});

test('the waiter of an unbind is told later than the unbind, and is named from there on', async () => {
  const ledger = await openLedger(':memory:');
  await ledger.import(
    [
      '[  300.000000] vfio-pci 0000:41:00.0: Relaying device request to user (#0)',
      '[  310.000000] vfio-pci 0000:41:00.0: Device is currently in use, task "tee" (812) blocked until device is released',
      '[  320.000000] vfio-pci 0000:41:00.0: Relaying device request to user (#10)',
    ].join('\n'),
  );
  const [first, second, ...others] = ledger.events.filter(
    ({ type }) => type === 'driver.unbind-blocked',
  );
  expect(others).toEqual([]);
  const waiters = (at: number | undefined) => ledger.who('0000:41:00.0', { at: at ?? -1 }).waiters;
  expect(waiters(first?.position)).toMatchObject([{ pid: null, comm: null }]);
  expect(waiters(second?.position)).toMatchObject([{ pid: 812, comm: 'tee' }]);
  expect(ledger.verify().faults).toEqual([]);
});

describe('a hung task whose stack waits for a device', () => {
  const relaying = (device: string) =>
    `[  300.000000] vfio-pci ${device}: Relaying device request to user (#0)`;
  const stack = (name: string) => [
    `[  363.000001] INFO: task ${name} blocked for more than 120 seconds.`,
    '[  363.000002]       Not tainted 6.1.0-18-amd64 #1 Debian 6.1.76-1',
    '[  363.000003] "echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
    '[  363.000004] task:driverctl       state:D stack:    0 pid: 2718 ppid:  2700 flags:0x00004000',
    '[  363.000005] Call Trace:',
    '[  363.000006]  <TASK>',
    '[  363.000007]  __schedule+0x2eb/0x8d0',
    '[  363.000008]  vfio_unregister_group_dev+0x1a5/0x1d0 [vfio]',
    '[  363.000009]  vfio_pci_core_unregister_device+0x23/0xb0 [vfio_pci_core]',
  ];
  const waits = (lines: readonly string[]) =>
    shownBy(dmesgParser(), lines.join('\n')).filter(
      (shown) => (shown as { did: string }).did === 'wait',
    );

  test('is the waiter', () => {
    expect(waits([relaying('0000:41:00.0'), ...stack('driverctl:2718')])).toEqual([
      { did: 'wait', device: '0000:41:00.0', waiter: null, at: 300_000_000 },
      {
        did: 'wait',
        device: '0000:41:00.0',
        waiter: { pid: 2718, comm: 'driverctl' },
        at: 363_000_008,
      },
    ]);
  });

  test('is named in who, and is no holder', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import([relaying('0000:41:00.0'), ...stack('driverctl:2718')].join('\n'));
    expect(ledger.who('0000:41:00.0')).toMatchObject({
      holders: [],
      waiters: [{ pid: 2718, comm: 'driverctl' }],
    });
    expect(ledger.verify().faults).toEqual([]);
  });

  test.each([
    ['of several devices', [relaying('0000:41:00.0'), relaying('0000:42:00.0')]],
    ['of none', ['[    1.000000] pci 0000:41:00.0: Adding to iommu group 33']],
  ])('is not laid to one %s', (_, lines) => {
    const named = waits([...lines, ...stack('driverctl:2718')]).filter(
      (shown) => (shown as { waiter: unknown }).waiter !== null,
    );
    expect(named).toEqual([]);
  });

  test('is told by its own stack', () => {
    const lines = [relaying('0000:41:00.0'), ...stack('driverctl:2718')];
    const others = lines.map((line) => line.replace('vfio_unregister_group_dev', 'io_schedule'));
    expect(waits(others)).toHaveLength(1);
  });
});

describe('what stands before a message', () => {
  const message = 'pci 0000:41:00.0: Adding to iommu group 33';
  const noon = Date.UTC(2026, 2, 4, 12) * 1000;
  test.each([
    ['[   12.345678] ', 'uptime', 12_345_678],
    ['<6>[   12.345678] ', 'uptime', 12_345_678],
    ['[   12.345678][  T812] ', 'uptime', 12_345_678],
    ['6,1234,12345678,-;', 'uptime', 12_345_678],
    ['[   12.345678] lab kernel: ', 'uptime', 12_345_678],
    ['[Wed Mar  4 12:00:00 2026] ', 'local', noon],
    ['Mar 04 12:00:00 lab kernel: ', 'day', 43_200e6],
    ['Mar  4 12:00:00 lab kernel: ', 'day', 43_200e6],
    ['2026-03-04T13:00:00+0100 lab kernel: ', 'wall', noon],
    ['2026-03-04T12:00:00.250000+00:00 lab kernel: ', 'wall', noon + 250_000],
    ['2026-03-04T12:00:00,250000+00:00 ', 'wall', noon + 250_000],
    ['2026-03-04 12:00:00 lab kernel: ', 'local', noon],
    ['<6>1 2026-03-04T12:00:00Z lab kernel - - - ', 'wall', noon],
    ['Wed 2026-03-04 12:00:00 UTC lab kernel: ', 'wall', noon],
    [`${noon / 1_000_000}.000000 lab kernel: `, 'wall', noon],
    ['', 'none', null],
  ])('%s', (prefix, clock, at) => {
    const parser = dmesgParser();
    expect(parser.line(`${prefix}${message}`)).toMatchObject([{ did: 'plug', group: '33', at }]);
    expect(parser.clock).toBe(clock);
    expect(looksLikeDmesg(`${prefix}${message}`)).toBe(true);
  });

  test('a journal in JSON knows the boot', () => {
    const entry = {
      MESSAGE: 'Linux version 6.12.57 (lab)',
      __REALTIME_TIMESTAMP: `${noon}`,
      _BOOT_ID: '4f2a',
      _TRANSPORT: 'kernel',
    };
    expect(shownBy(dmesgParser(), JSON.stringify(entry))).toEqual([
      { did: 'boot', kernel: '6.12.57', boot: '4f2a', at: noon },
    ]);
  });

  test('a better clock than the first counts from its first time on', () => {
    const text = `
[    1.000000] pci 0000:41:00.0: Adding to iommu group 33
2026-03-04T12:00:00Z lab kernel: pci 0000:41:00.1: Adding to iommu group 33
[    3.000000] pci 0000:41:00.2: Adding to iommu group 33`;
    const parser = dmesgParser();
    expect(shownBy(parser, text)).toMatchObject([{ at: 1_000_000 }, { at: noon }, {}]);
    expect(shownBy(dmesgParser(), text)[2]).not.toHaveProperty('at');
    expect(parser.clock).toBe('wall');
  });
});

test('what programs write into the same journal is read unless the format is given', () => {
  const text = `
Mar 04 12:00:00 lab kernel: vfio-pci 0000:41:00.0: enabling device (0400 -> 0402)
Mar 04 12:00:01 lab vpp[53]: EAL: Cannot open /dev/vfio/33: Device or resource busy
Mar 04 12:00:02 lab audit[9]: VIRT_CONTROL pid=9 uid=0 msg='virt=kvm op=stop reason=destroyed vm="a" uuid=? vm-pid=-1 exe="/usr/sbin/libvirtd" res=success'`;
  expect(shownBy(dmesgParser(), text)).toMatchObject([{ did: 'plug', driver: 'vfio-pci' }]);
  expect(shownBy(pasteParser(), text)).toMatchObject([
    { did: 'plug', driver: 'vfio-pci' },
    { did: 'report', operation: 'open_group', group: '33', errno: 'EBUSY', pid: 53, comm: 'vpp' },
    { did: 'claim', outcome: 'released', device: null, claimant: { name: 'a', uuid: null } },
  ]);
});

test.each(['strace: Process 12 attached', 'EAL: Failed to open group 72', '', '[x] y'])(
  'not of the kernel: %s',
  (line) => {
    expect(looksLikeDmesg(line)).toBe(false);
  },
);

test('however it is changed, it is read or rejected', () => {
  surviveMutation(dmesgParser, looksLikeDmesg, lines(STORY));
});

test('long lines take no long time', () => {
  readLongLines(dmesgParser, looksLikeDmesg, lines(STORY));
});

test('nobody waits any more for a device that has another driver, or none', async () => {
  const blocked = `[ 1.0] vfio-pci 0000:81:00.0: Device is currently in use, task "bash" (6835) blocked until device is released`;
  const other = '[ 9.0] ixgbe 0000:81:00.0: Multiqueue Enabled: Rx Queue count = 63';
  const ledger = await openLedger(':memory:');
  await ledger.import(`${blocked}\n${other}\n`);
  const [wait] = ledger.waits();
  expect(wait).toMatchObject({ waiter: { pid: 6835 }, endedBy: 'driver.unbound' });
  expect(ledger.at(wait!.from).who('0000:81:00.0').waiters).toMatchObject([{ pid: 6835 }]);
  expect(ledger.who('0000:81:00.0').waiters).toEqual([]);
  expect(ledger.verify().faults).toEqual([]);
});
