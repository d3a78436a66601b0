/**
 * Fragments as people paste them into reports, and what a careful reader makes of each.
 *
 * @module
 */
import { describe, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../ledger.ts';

async function read(evidence: string): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  expect(await ledger.import(evidence)).toMatchObject({ unknown: 0 });
  return ledger;
}

const formatOf = (ledger: Ledger) =>
  [...ledger.each('evidence.begun')].map(({ data }) => 'format' in data && data.format);

const refusalsOf = (ledger: Ledger) =>
  ledger.log({ refused: true }).map(({ position }) => {
    const { operation, errno, cause } = ledger.why(position);
    return `${operation} ${errno} ${cause}`;
  });

const DEVICE = '0000:41:00.0';
const NODE = '/dev/vfio/58';
const qemu = (words: string) => `qemu-system-x86_64: -device vfio-pci,host=${DEVICE}: ${words}`;

describe('refusals in words', () => {
  test.each([
    // Somebody has it, and nobody says who.
    [`EAL: Cannot open ${NODE}: Device or resource busy`, ['open_group EBUSY unknown']],
    [
      `open(${NODE}): Device or resource busy: Device or resource busy; Couldn't open iommu group ${NODE}`,
      ['open_group EBUSY unknown'],
    ],
    [
      qemu(`vfio ${DEVICE}: failed to open ${NODE}: Device or resource busy`),
      ['open_group EBUSY unknown'],
    ],
    [
      `ValueError: [Errno 16] Device or resource busy: '/dev/vfio/devices/vfio4'`,
      ['open_cdev EBUSY unknown'],
    ],
    // The words are about ownership, and say so.
    [qemu(`vfio ${DEVICE}: group 58 is not viable`), ['set_container null owned-by-kernel-driver']],
    [
      `EAL: ${DEVICE} VFIO group is not viable! Not all devices in IOMMU group bound to VFIO or unbound`,
      ['set_container null owned-by-kernel-driver'],
    ],
    [
      qemu(`vfio ${DEVICE}: group 58 used in multiple address spaces`),
      ['attach null sibling-attached-elsewhere'],
    ],
    // It is not about ownership at all.
    [
      'qemu-kvm: vfio_dma_map(0x55d0, 0x0, 0x80000000, 0x7f12) = -12 (Cannot allocate memory)',
      ['map_dma ENOMEM not-ownership'],
    ],
    [
      'EAL: Cannot set up DMA remapping, error 12 (Cannot allocate memory)',
      ['map_dma ENOMEM not-ownership'],
    ],
    [`Could not open '${NODE}': Permission denied`, ['open_group EACCES not-ownership']],
    [
      qemu(`vfio ${DEVICE}: error getting device from group 58: Permission denied`),
      ['get_device EACCES not-ownership'],
    ],
    [
      '[   11.5] vfio_pin_pages_remote: RLIMIT_MEMLOCK (8388608) exceeded',
      ['map_dma ENOMEM not-ownership'],
    ],
    [
      `[    9.5] vfio_iommu_type1_attach_group: No interrupt remapping support.  Use the module param "allow_unsafe_interrupts" to enable VFIO IOMMU support on this platform`,
      ['set_iommu EPERM not-ownership'],
    ],
    // The node or the file is not there.
    ['sh: /dev/vfio/devices/vfio4: No such file or directory', ['open_cdev ENOENT no-such-node']],
  ])('%s', async (line, refusals) => {
    const ledger = await read(line);
    expect(refusalsOf(ledger)).toEqual(refusals);
    expect(ledger.verify().faults).toEqual([]);
    // Whoever was refused owns nothing by it, and nobody else is named.
    const { groups, devices } = ledger.at('end').table();
    for (const { owner } of [...groups, ...devices]) expect(owner.holders).toEqual([]);
    for (const { owner } of groups) expect(owner.kind).toBe('unknown');
  });

  // Which groups were presented is not said.
  test('a reset names what it lacks', async () => {
    const words = `vfio: Cannot reset device ${DEVICE}, depends on group 57 which is not owned.`;
    expect(refusalsOf(await read(words))).toEqual(['hot_reset null reset-not-owned']);
  });

  test('each of several workers is refused its own', async () => {
    const busy = (pid: number, group: number, words: string) =>
      `(Worker pid=${pid}) ERROR open(/dev/vfio/${group}): ${words}: ${words}; Couldn't open iommu group /dev/vfio/${group}`;
    const ledger = await read(
      [busy(71, 0, 'Device or resource busy'), busy(72, 1, 'Permission denied')].join('\n'),
    );
    expect(ledger.log({ refused: true }).map(({ data }) => data)).toMatchObject([
      { pid: 71, group: '0', errno: 'EBUSY' },
      { pid: 72, group: '1', errno: 'EACCES' },
    ]);
    expect(refusalsOf(ledger)).toEqual([
      'open_group EBUSY unknown',
      'open_group EACCES not-ownership',
    ]);
  });

  test.each([
    ['iommu/vfio: vfio iommu group is /dev/vfio/6\nvfio/pci: failed to get device fd'],
    ["lstat /dev/vfio/39: no such file or directory\nCouldn't open iommu group /dev/vfio/39"],
  ])('words without an errno are none: %s', async (lines) => {
    const ledger = await openLedger(':memory:');
    const report = await ledger.import(lines, { format: 'text' });
    expect(report).toMatchObject({ appended: 0, rejected: [] });
  });
});

describe('who waits', () => {
  const waiting = `vfio-pci ${DEVICE}: Device is currently in use, task "zsh" (712) blocked until device is released`;

  test('is never who holds: that is not said', async () => {
    const busy = `EAL: Cannot open ${NODE}: Device or resource busy\nEAL: Failed to open group 58`;
    const ledger = await read(`[ 1254.970475] ${waiting}\n${busy}`);
    expect(ledger.who(DEVICE)).toMatchObject({
      owner: { kind: 'unknown', holders: [] },
      holders: [],
      waiters: [{ pid: 712, comm: 'zsh', via: 'queue' }],
    });
    expect(refusalsOf(ledger)).toEqual(['open_group EBUSY unknown']);
    expect(ledger.who('g58')).toMatchObject({
      owner: { kind: 'unknown' },
      holders: [],
      waiters: [],
    });
  });

  test('may be somebody whom only the kernel knows', async () => {
    const ledger = await read(
      `[   30.5] vfio-pci ${DEVICE}: Relaying device request to user (#10)`,
    );
    const { owner, holders, waiters } = ledger.who(DEVICE);
    expect({ owner, holders }).toMatchObject({ owner: { kind: 'unknown' }, holders: [] });
    expect(waiters).toMatchObject([{ pid: null, comm: null }]);
  });

  test('waits for a holder that another message names', async () => {
    const opened = `vfio-pci ${DEVICE}: vfio-noiommu device opened by user (vpp_main:1053)`;
    const ledger = await read(`[   92.1] ${opened}\n[   99.5] ${waiting}`);
    expect(ledger.who(DEVICE)).toMatchObject({
      holders: [{ pid: 1053, comm: 'vpp_main', via: 'fd', fd: null }],
      waiters: [{ pid: 712 }],
    });
  });
});

describe('who holds', () => {
  test('devices without an IOMMU: the one message that names a holder', async () => {
    const opened = (device: string) =>
      `vfio-pci ${device}: vfio-noiommu device opened by user (vpp_main:1053)`;
    const ledger = await read(
      `[   92.148] ${opened('0000:07:00.0')}\n[   92.396] ${opened('0000:08:00.0')}`,
    );
    for (const device of ['0000:07:00.0', '0000:08:00.0']) {
      const { owner, holders } = ledger.who(device);
      expect(owner).toMatchObject({ kind: 'unknown' });
      expect(holders).toMatchObject([{ pid: 1053, comm: 'vpp_main', fd: null }]);
    }
  });

  test.each([
    [
      'fuser',
      `$ fuser -v ${NODE}\n                     USER        PID ACCESS COMMAND\n${NODE}:\n                     root       8526 F.... testpmd`,
      'g58',
      { pid: 8526, comm: 'testpmd', fd: null },
    ],
    [
      'lsof',
      `COMMAND   PID USER   FD   TYPE DEVICE SIZE/OFF NODE NAME\ntestpmd  8526 root   12u   CHR  511,1      0t0  600 ${NODE}`,
      'g58',
      { pid: 8526, comm: 'testpmd', fd: 12 },
    ],
    [
      'fdinfo',
      `[root@lab ~]# cat /proc/8526/fdinfo/88\npos:    0\nflags:  02000002\nvfio-device-syspath: /sys/devices/pci0000:40/0000:40:01.1/${DEVICE}`,
      DEVICE,
      { pid: 8526, fd: 88 },
    ],
  ])('%s shows a file that is open, and no owner', async (_what, lines, subject, holder) => {
    const ledger = await read(lines);
    expect(formatOf(ledger)).toEqual(['fdinfo']);
    expect(ledger.who(subject)).toMatchObject({ owner: { kind: 'unknown' }, holders: [holder] });
  });

  test('fuser of a node that is none of ours shows nothing', async () => {
    const lines = '/dev/nvidia0:\n                     root       8526 F.... persistenced';
    const ledger = await openLedger(':memory:');
    await expect(ledger.import(lines, { format: 'fdinfo' })).rejects.toThrow(
      /no line says anything of VFIO; --format fdinfo reads that format only/,
    );
  });
});

describe("QEMU's trace", () => {
  const name = '9c1f6f0e-54d7-4d6e-9a5b-0b1c2d3e4f50';
  const lines = [
    `vfio_mdev  (${name}) is_mdev 1`,
    'iommufd_cdev_getfd  /dev/vfio/devices/vfio4 (fd=31)',
    'iommufd_backend_connect fd=17 owned=1 users=1',
    `iommufd_cdev_connect_and_bind  [iommufd=17] Successfully bound device ${name} (fd=31): output devid=1`,
    'iommufd_backend_alloc_ioas  iommufd=17 ioas=2',
    'iommufd_cdev_alloc_ioas  [iommufd=17] new IOMMUFD container with ioasid=2',
    `iommufd_cdev_attach_ioas_hwpt  [iommufd=17] Successfully attached device ${name} (31) to id=2`,
    'iommufd_backend_map_dma  iommufd=17 ioas=2 iova=0x0 size=0xa0000 addr=0x7f12 readonly=0 (0)',
    `qemu-kvm: -device vfio-pci,iommufd=i0,sysfsdev=/sys/devices/virtual/x/${name}:`,
    '   warning: Failed to get hardware info: No such file or directory',
  ];

  test('of a bind: bound, then attached, both names stand for the device', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import(lines.join('\n'));
    expect(formatOf(ledger)).toEqual(['qemu-trace']);
    const state = (count: number) => {
      const [event] = [...ledger.each()]
        .filter(({ data }) => data.evidence?.line === count)
        .slice(-1);
      return ledger.at(event?.position ?? 'start').device('vfio4').state;
    };
    expect([2, 4, 7].map(state)).toEqual(['open', 'bound', 'attached']);
    for (const subject of ['vfio4', name]) {
      const { kind, holders } = ledger.who(subject).owner;
      expect(kind).toBe('iommufd');
      expect(holders.map(({ comm, fd }) => [comm, fd])).toEqual([
        ['qemu', 17],
        ['qemu', 31],
      ]);
    }
    // A warning that says ENOENT of something else is no refusal.
    expect(refusalsOf(ledger)).toEqual([]);
    expect(ledger.verify().faults).toEqual([]);
  });
});

describe("libvirt's book", () => {
  const record = (serial: number, words: string, result: string) =>
    `type=VIRT_RESOURCE msg=audit(1772600767.${serial}:77): pid=9 uid=0 auid=4294967295 ses=4294967295 msg='virt=kvm ${words} exe="/usr/sbin/libvirtd" hostname=? addr=? terminal=? res=${result}'`;
  const uuid = (last: number) => `9c1f6f0e-54d7-4d6e-9a5b-0b1c2d3e4f5${last}`;
  const device = (reason: string, vm: string, last: number) =>
    `resrc=dev reason=${reason} vm=${vm} uuid=${uuid(last)} bus=pci device="${DEVICE}"`;

  test('says who was given a device, which the kernel knows nothing of', async () => {
    const ledger = await read(
      [
        record(100, device('start', '"alpha"', 0), 'success'),
        // A name with a blank in it is written in hex.
        record(200, device('attach', '6265746120', 1), 'failed'),
        record(300, `op=stop reason=shutdown vm="alpha" uuid=${uuid(0)} vm-pid=-1`, 'success'),
      ].join('\n'),
    );
    const claims = ledger.events.filter(({ type }) => type.startsWith('claim.'));
    expect(claims.map(({ type, data }) => ({ type, ...data }))).toMatchObject([
      {
        type: 'claim.granted',
        device: DEVICE,
        claimant: 'alpha',
        uuid: uuid(0),
        manager: 'libvirt',
      },
      { type: 'claim.refused', device: DEVICE, claimant: 'beta ', uuid: uuid(1) },
      { type: 'claim.released', device: DEVICE, claimant: 'alpha', reason: 'shutdown' },
    ]);
    expect(refusalsOf(ledger)).toEqual([]);
    expect(ledger.at('end').table().files).toEqual([]);
  });

  test('names the one who has it, and the one who is refused', async () => {
    const ledger = await read(
      `error: Failed to start domain 'beta'\nerror: Requested operation is not valid: PCI device ${DEVICE} is in use by driver QEMU, domain alpha`,
    );
    const claims = ledger.events.filter(({ type }) => type.startsWith('claim.'));
    expect(claims.map(({ type, data }) => ({ type, ...data }))).toMatchObject([
      { type: 'claim.granted', device: DEVICE, claimant: 'alpha' },
      { type: 'claim.refused', device: DEVICE, claimant: 'beta', reason: 'in use by alpha' },
    ]);
  });
});

describe('strace of others', () => {
  test('maps that are slow, on a descriptor without its path, in relative times', async () => {
    const map = 'ioctl(30, VFIO_DEVICE_PCI_HOT_RESET or VFIO_IOMMU_MAP_DMA';
    const ledger = await read(
      [
        '0.000041 openat(AT_FDCWD, "/dev/vfio/vfio", O_RDWR|O_CLOEXEC) = 30 <0.000019>',
        `0.000058 ${map}, 0x7ffd774f7f20) = 0 <0.334458>`,
        `0.000088 ${map} <unfinished ...>`,
        '45.903415 <... ioctl resumed> , 0x7ffd774f7f20) = -1 ENOMEM (Cannot allocate memory) <55.5>',
      ].join('\n'),
    );
    // On a container it is a map and no reset, whatever strace calls it.
    expect(refusalsOf(ledger)).toEqual(['map_dma ENOMEM not-ownership']);
    expect(ledger.events.filter(({ type }) => type === 'device.hot-reset')).toEqual([]);
  });

  test('a device that is not suspended says EACCES, which is not about ownership', async () => {
    const ledger = await read(
      [
        `openat(AT_FDCWD, "${NODE}", O_RDWR) = 5`,
        'ioctl(5, VFIO_GROUP_GET_DEVICE_FD, 0x7ffd2b38abf0) = -1 EACCES (Permission denied)',
      ].join('\n'),
    );
    expect(refusalsOf(ledger)).toEqual(['get_device EACCES not-ownership']);
  });
});
