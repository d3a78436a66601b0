import { describe, expect, test } from 'vitest';
import { looksLikeText, textParser } from '../../../evidence/messages/text.ts';
import { lines, readLongLines, shownBy, surviveMutation } from './support.ts';

const QEMU = '2026-03-04T05:06:07.123456Z qemu-system-x86_64: -device vfio-pci,host=0000:41:00.0: ';
const device = '0000:41:00.0';

const report = (operation: string, errno: string | null, more: object = {}) => ({
  did: 'report',
  operation,
  group: null,
  device: null,
  errno,
  cause: null,
  ...more,
});

const STORY = `
EAL: Detected CPU lcores: 8
EAL: Cannot open /dev/vfio/33: Device or resource busy
EAL: Failed to open VFIO group 33
EAL: Requested device 0000:41:00.0 cannot be used
EAL: 0000:42:00.0 VFIO group is not viable! Not all devices in IOMMU group bound to VFIO or unbound
EAL: Cannot set up DMA remapping, error 12 (Cannot allocate memory)
EAL: 0000:43:00.0 DMA remapping failed, error 12 (Cannot allocate memory)
`;

test('a program that is refused says so, and then what came of it', () => {
  const parser = textParser();
  expect(shownBy(parser, STORY)).toEqual([
    report('open_group', 'EBUSY', { group: '33' }),
    report('set_container', null, { device: '0000:42:00.0', cause: 'owned-by-kernel-driver' }),
    report('map_dma', 'ENOMEM', { cause: 'not-ownership' }),
  ]);
  expect(parser.clock).toBe('none');
});

describe('QEMU', () => {
  test.each([
    [
      'failed to open /dev/vfio/33: Device or resource busy',
      'open_group',
      'EBUSY',
      { group: '33' },
    ],
    [
      "Could not open '/dev/vfio/33': Permission denied",
      'open_group',
      'EACCES',
      { group: '33', cause: 'not-ownership' },
    ],
    [
      'error opening /dev/iommu: No such file or directory',
      'open_iommufd',
      'ENOENT',
      { cause: 'no-such-node' },
    ],
    [
      'group 33 is not viable',
      'set_container',
      null,
      { group: '33', cause: 'owned-by-kernel-driver' },
    ],
    [
      'failed to setup container for group 33: Failed to set group container: Invalid argument',
      'set_container',
      'EINVAL',
      { group: '33' },
    ],
    [
      'failed to setup container for group 33: failed to set iommu for container: Operation not permitted',
      'set_iommu',
      'EPERM',
      { group: '33' },
    ],
    [
      'error getting device from group 33: Input/output error',
      'get_device',
      'EIO',
      { group: '33', cause: 'not-ownership' },
    ],
    ['error bind device fd=26 to iommufd=15: Device or resource busy', 'bind', 'EBUSY', {}],
    [
      '[iommufd=15] error attach 0000:41:00.0 (26) to id=2: Invalid argument',
      'attach',
      'EINVAL',
      {},
    ],
    [
      'group 33 used in multiple address spaces',
      'attach',
      null,
      { group: '33', cause: 'sibling-attached-elsewhere' },
    ],
  ])('%s', (words, operation, errno, more) => {
    expect(shownBy(textParser(), `${QEMU}vfio 0000:41:00.0: ${words}`)).toEqual([
      report(operation, errno, {
        device,
        ...more,
        comm: 'qemu-system-x86_64',
        at: 1_772_600_767_123_456,
      }),
    ]);
  });

  test.each([
    ['vfio_dma_map(0x55, 0x0, 0x80000000, 0x7f) = -12 (Cannot allocate memory)', 'ENOMEM'],
    ['VFIO_MAP_DMA failed: Bad address', 'EFAULT'],
  ])('%s', (words, errno) => {
    expect(shownBy(textParser(), `qemu-kvm: ${words}`)).toEqual([
      report('map_dma', errno, { cause: 'not-ownership', comm: 'qemu-kvm' }),
    ]);
  });

  test('a reset names the group or the device that it lacks', () => {
    const shown = (lacks: string) =>
      textParser().line(
        `vfio: Cannot reset device 0000:41:00.0, depends on ${lacks} which is not owned.`,
      );
    const concluded = { operation: 'hot_reset', errno: null, cause: 'reset-not-owned' };
    const told = { ...concluded, device, group: null };
    expect(shown('group 0')).toMatchObject([{ ...told, blocker: { kind: 'group', id: '0' } }]);
    expect(shown('device 0000:41:00.1')).toMatchObject([
      { ...told, blocker: { kind: 'device', id: '0000:41:00.1' } },
    ]);
  });
});

describe('other programs', () => {
  test.each([
    [
      "open(/dev/vfio/3): Device or resource busy: Device or resource busy; Couldn't open iommu group /dev/vfio/3",
      'open_group',
      'EBUSY',
      { group: '3' },
    ],
    [
      'EAL: Cannot open /dev/vfio/noiommu-3: Operation not permitted',
      'open_group',
      'EPERM',
      { group: 'noiommu-3' },
    ],
    [
      'EAL: 0000:41:00.0 cannot add VFIO group to container, error 16 (Device or resource busy)',
      'set_container',
      'EBUSY',
      { device },
    ],
    ['EAL: Set IOMMU type 1 (Type 1) failed, error 19 (No such device)', 'set_iommu', 'ENODEV', {}],
    [
      'Error: failed to open /dev/vfio/33 group: Device or resource busy (os error 16)',
      'open_group',
      'EBUSY',
      { group: '33' },
    ],
    [
      'VmBoot(VfioCreate(OpenGroup(Os { code: 16, kind: ResourceBusy, message: "Device or resource busy" }, "33")))',
      'open_group',
      'EBUSY',
      { group: '33' },
    ],
    ['failed to get vfio device fd: Invalid argument (os error 22)', 'get_device', 'EINVAL', {}],
    [
      "OSError: [Errno 16] Device or resource busy: '/dev/vfio/33'",
      'open_group',
      'EBUSY',
      { group: '33' },
    ],
    [
      "Failed to open /dev/vfio/33: [Errno 16] Device or resource busy: '/dev/vfio/33'",
      'open_group',
      'EBUSY',
      { group: '33' },
    ],
    [
      'Failed to link group 33 to container of vfio: [Errno 25] Inappropriate ioctl for device',
      'set_container',
      'ENOTTY',
      { group: '33' },
    ],
    [
      'level=fatal msg="open /dev/vfio/33: device or resource busy"',
      'open_group',
      'EBUSY',
      { group: '33' },
    ],
    [
      "Error: EBUSY: resource busy or locked, open '/dev/vfio/33'",
      'open_group',
      'EBUSY',
      { group: '33' },
    ],
    ['open /dev/vfio/33 failed, ret=-16', 'open_group', 'EBUSY', { group: '33' }],
    [
      'sh: /dev/vfio/devices/vfio3: Permission denied',
      'open_cdev',
      'EACCES',
      { device: 'vfio3', cause: 'not-ownership' },
    ],
    [
      'bind failed for 0000:41:00.0 - Cannot bind to driver vfio-pci: [Errno 16] Device or resource busy',
      'set_driver',
      'EBUSY',
      { device, driver: 'vfio-pci' },
    ],
    [
      "error: Failed to bind PCI device '0000:41:00.0' to vfio-pci: No such device",
      'set_driver',
      'ENODEV',
      { device, driver: 'vfio-pci' },
    ],
  ])('%s', (line, operation, errno, more) => {
    expect(shownBy(textParser(), line)).toEqual([report(operation, errno, more)]);
    expect(looksLikeText(line)).toBe(true);
  });

  test('the process is named where the line has it', () => {
    const words = 'open(/dev/vfio/3): Device or resource busy';
    expect(textParser().line(`(Worker pid=6625) ERROR ${words}`)).toMatchObject([{ pid: 6625 }]);
    expect(textParser().line(`Mar 04 05:06:07 lab python3[71]: ${words}`)).toMatchObject([
      { pid: 71, comm: 'python3' },
    ]);
  });

  test('what QEMU was refused is not laid to whoever tells it', () => {
    const line =
      'Mar 04 05:06:07 lab kata[17]: QMP command failed: vfio 0000:41:00.0: group 33 is not viable';
    expect(textParser().line(line)).toMatchObject([{ pid: null, comm: 'qemu', group: '33' }]);
  });
});

describe('quoted', () => {
  const refusal = report('set_container', null, {
    group: '33',
    device,
    cause: 'owned-by-kernel-driver',
    comm: 'qemu-kvm',
  });
  const words = String.raw`2026-03-04T05:06:07.123456Z qemu-kvm: -device vfio-pci,host=0000:41:00.0: vfio 0000:41:00.0: group 33 is not viable\nPlease ensure all devices within the iommu_group are bound`;
  test.each([
    [
      `Warning  SyncFailed  7s  virt-handler  server error: "LibvirtError(Code=1, Message='${words}')"`,
    ],
    [JSON.stringify({ msg: JSON.stringify({ error: `it said "${words}"` }) })],
    [`\u001b[31mERROR\u001b[0m ${words}`],
    [words.replace('group 33', '\u001b[1mgroup 33\u001b[0m')],
  ])('%s', (line) => {
    const [shown] = shownBy(textParser(), line);
    expect({ at: 0, ...(shown as object) }).toMatchObject(refusal);
  });

  test('slashes may be escaped', () => {
    const line = String.raw`{"error":"failed to open \/dev\/vfio\/33: Device or resource busy"}`;
    expect(textParser().line(line)).toMatchObject([{ operation: 'open_group', group: '33' }]);
  });

  test('one refusal that several tell of is one: it bears the same moment', () => {
    const line = (who: string) => `Mar 04 05:06:09 lab ${who}: ${words}`;
    const told = `${line('kata[17]')}\n${line('containerd[9]')}`;
    expect(shownBy(textParser(), told)).toHaveLength(1);
    const again = told.replace('07.123456Z', '08.000001Z');
    expect(shownBy(textParser(), again)).toHaveLength(2);
  });
});

test('several refusals in a line are several', () => {
  const line = 'open(/dev/vfio/3): Device or resource busy; open(/dev/vfio/4): Permission denied';
  expect(shownBy(textParser(), line)).toEqual([
    report('open_group', 'EBUSY', { group: '3' }),
    report('open_group', 'EACCES', { group: '4', cause: 'not-ownership' }),
  ]);
});

describe('waits', () => {
  test('who waits in the kernel stays one who waits where a program quotes it', () => {
    const line = String.raw`{"log":"vfio-pci 0000:41:00.0: Device is currently in use, task \"tee\" (812) blocked until device is released"}`;
    expect(shownBy(textParser(), line)).toEqual([
      { did: 'wait', device, waiter: { pid: 812, comm: 'tee' } },
    ]);
  });
});

test.each([
  'EAL: Failed to open group 33',
  'fuser: /dev/nvidia0 is busy',
  'opening /dev/vfio/33',
  'failed to get device: permission denied',
  'lstat /dev/vfio/33: no such file or directory',
  'vfio 0000:41:00.0: failed to add group 33 to KVM VFIO device: File exists',
  "Couldn't open iommu group /dev/vfio/33 (set PLATFORMS to choose another)",
  'failed to open /etc/passwd: Permission denied',
])('no refusal, or none with an errno: %s', (line) => {
  expect(shownBy(textParser(), line)).toEqual([]);
});

test.each([
  'failed to open /etc/passwd: Permission denied',
  '',
  'VFIO is fine',
  '[    1.0] usb 1-1: new',
])('not recognized: %s', (line) => {
  expect(looksLikeText(line)).toBe(false);
});

test('however it is changed, it is read or rejected', () => {
  surviveMutation(textParser, looksLikeText, [
    `${QEMU}vfio 0000:41:00.0: group 33 is not viable`,
    ...lines(STORY),
  ]);
});

test('long lines take no long time', () => {
  readLongLines(textParser, looksLikeText, lines(STORY));
});
