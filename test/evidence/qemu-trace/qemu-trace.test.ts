import { describe, expect, test } from 'vitest';
import { looksLikeQemuTrace, qemuTraceParser } from '../../../evidence/qemu-trace/qemu-trace.ts';
import { lines, readLongLines, shownBy, surviveMutation } from '../messages/support.ts';

const NAME = '0000:41:00.0';
const done = { rc: 0 };
const ioctl = (fd: number, request: number, words: object) => ({
  did: 'ioctl',
  on: { fd, path: null },
  requests: [request],
  words,
  result: done,
  file: null,
});
const open = (path: string, fd: number) => ({
  did: 'open',
  path,
  cloexec: true,
  result: { rc: fd },
  file: null,
});
const close = (fd: number) => ({ did: 'close', on: { fd, path: null }, result: done });

/** Without who and when. */
const deeds = (text: string) =>
  shownBy(qemuTraceParser(), text).map((shown) => {
    const { pid: _pid, comm: _comm, at: _at, ...deed } = shown as Record<string, unknown>;
    return deed;
  });

const STORY = `
vfio_attach_device  (${NAME}) group 33
iommufd_cdev_getfd  /dev/vfio/devices/vfio3 (fd=26)
iommufd_backend_connect fd=15 owned=1 users=1
iommufd_cdev_connect_and_bind  [iommufd=15] Successfully bound device ${NAME} (fd=26): output devid=1
iommufd_backend_alloc_ioas  iommufd=15 ioas=2
iommufd_cdev_alloc_ioas  [iommufd=15] new IOMMUFD container with ioasid=2
iommufd_backend_alloc_hwpt  iommufd=15 dev_id=1 pt_id=2 flags=0x0 hwpt_type=0 len=0 data_ptr=0x0 out_hwpt=3 (0)
iommufd_cdev_attach_ioas_hwpt  [iommufd=15] Successfully attached device ${NAME} (26) to id=3
iommufd_backend_map_dma  iommufd=15 ioas=2 iova=0x0 size=0xc0000 addr=0x7f00 readonly=0 (0)
iommufd_cdev_device_info  ${NAME} (26) num_irqs=5 num_regions=9 flags=2
vfio_intx_enable  (${NAME})
iommufd_cdev_detach_ioas_hwpt  [iommufd=15] Successfully detached ${NAME}
iommufd_backend_free_id  iommufd=15 id=3 (0)
iommufd_backend_free_id  iommufd=15 id=2 (0)
iommufd_backend_disconnect fd=-1 users=0
`;

test('a device comes through its cdev and goes; its order is known, its times and process are not', () => {
  const parser = qemuTraceParser();
  const by = { comm: 'qemu' };
  expect(shownBy(parser, STORY)).toEqual([
    { did: 'plug', device: NAME, group: '33', driver: null, ...by },
    { ...open('/dev/vfio/devices/vfio3', 26), ...by },
    { ...open('/dev/iommu', 15), ...by },
    { ...ioctl(26, 0x3b76, { iommufd: 15, device: NAME, id: 1 }), ...by },
    { ...ioctl(15, 0x3b81, { id: 2 }), ...by },
    { ...ioctl(15, 0x3b89, { pt: 2, id: 3 }), ...by },
    { ...ioctl(26, 0x3b77, { device: NAME, pt: 3 }), ...by },
    { ...ioctl(26, 0x3b78, {}), ...by },
    { ...ioctl(15, 0x3b80, { object: 3 }), ...by },
    { ...ioctl(15, 0x3b80, { object: 2 }), ...by },
    { ...close(15), ...by },
    { ...close(26), ...by },
  ]);
  expect(parser.clock).toBe('none');
});

test('the log backend with times names threads: all of one process, if it is the only one', () => {
  const parser = qemuTraceParser();
  const text = lines(STORY)
    .map(
      (line, index) =>
        `${index < 11 ? 4000 : 4007}@1772600767.${`${index}`.padStart(6, '0')}:${line}`,
    )
    .join('\n');
  const shown = shownBy(parser, text) as { pid: number; at: number }[];
  expect(new Set(shown.map(({ pid }) => pid))).toEqual(new Set([4000]));
  expect(shown[1]?.at).toBe(1_772_600_767_000_001);
  expect(parser.clock).toBe('wall');
});

test('simpletrace.py writes names, hexadecimal, and the distance to the event before', () => {
  const parser = qemuTraceParser();
  const text = `
iommufd_cdev_getfd 0.000 pid=500 dev=/dev/vfio/devices/vfio3 devfd=0x1a
iommufd_backend_connect 12.345 pid=500 fd=0xf owned=0x1 users=0x1
vfio_region_write 7.000 pid=500 name=b'x' index=0x0 addr=0x0 data=0x1 size=0x4
iommufd_backend_disconnect 100.500 pid=500 fd=0xffffffffffffffff users=0x0
vfio_pci_hot_reset_dep_devices 1.000 pid=500 domain=0x0 bus=0x41 slot=0x0 function=0x1 group_id=0x21
vfio_pci_hot_reset_result 1.000 pid=500 name=b'${NAME}' result=b'Operation not permitted'
`;
  const by = { pid: 500, comm: 'qemu' };
  expect(shownBy(parser, text)).toEqual([
    { ...open('/dev/vfio/devices/vfio3', 26), ...by, at: 0 },
    { ...open('/dev/iommu', 15), ...by, at: 12 },
    { ...close(15), ...by, at: 120 },
    { ...close(26), ...by, at: 120 },
    { did: 'plug', device: '0000:41:00.1', group: '33', driver: null, ...by, at: 121 },
    {
      did: 'report',
      operation: 'hot_reset',
      group: null,
      device: NAME,
      errno: 'EPERM',
      cause: null,
      ...by,
      at: 122,
    },
  ]);
  expect(parser.clock).toBe('start');
});

describe('iommufds', () => {
  const found = { did: 'find', kind: 'iommufd', device: null, group: null };

  test('one that was given to QEMU is found, and stays open', () => {
    const text = `
iommu_backend_set_fd pre-opened /dev/iommu fd=9
iommufd_backend_connect fd=9 owned=0 users=1
iommufd_backend_disconnect fd=9 users=0`;
    expect(deeds(text)).toEqual([{ ...found, fd: 9 }]);
  });

  test('one that has users when the trace begins was open before', () => {
    expect(deeds('iommufd_backend_connect fd=9 owned=1 users=2')).toEqual([{ ...found, fd: 9 }]);
  });

  test('as QEMU 8.2 wrote it, with what came back', () => {
    expect(deeds('iommufd_backend_connect fd=9 owned=1 users=1 (0)')).toEqual([
      open('/dev/iommu', 9),
    ]);
    expect(deeds('iommufd_backend_connect fd=-1 owned=1 users=0 (-2)')).toEqual([
      { ...open('/dev/iommu', 9), result: { errno: 'ENOENT' } },
    ]);
    expect(deeds('iommufd_backend_alloc_ioas  iommufd=9 ioas=1 (0)')).toEqual([
      ioctl(9, 0x3b81, { id: 1 }),
    ]);
    expect(deeds('iommufd_backend_alloc_ioas  iommufd=9 ioas=0 (-1)')).toEqual([]);
  });

  test('of two, the one that is left by its last device is closed', () => {
    const text = `
iommufd_backend_connect fd=9 owned=1 users=1
iommufd_backend_connect fd=10 owned=1 users=1
iommufd_backend_connect fd=10 owned=1 users=2
iommufd_backend_disconnect fd=-1 users=0`;
    expect(deeds(text).at(-1)).toEqual(close(9));
    expect(deeds(text.replace('users=2', 'users=1')).at(-1)).toEqual(open('/dev/iommu', 10));
  });

  test('a device that could not be bound is closed', () => {
    const text = `
iommufd_cdev_getfd  /dev/vfio/devices/vfio3 (fd=26)
iommufd_backend_connect fd=15 owned=1 users=1
iommufd_backend_disconnect fd=-1 users=0`;
    expect(deeds(text).slice(2)).toEqual([close(15), close(26)]);
  });

  test('a device that moves to another page table stays', () => {
    const text = `
iommufd_cdev_connect_and_bind  [iommufd=15] Successfully bound device ${NAME} (fd=26): output devid=1
iommufd_cdev_device_info  ${NAME} (26) num_irqs=5 num_regions=9 flags=2
iommufd_cdev_detach_ioas_hwpt  [iommufd=15] Successfully detached ${NAME}
iommufd_cdev_attach_ioas_hwpt  [iommufd=15] Successfully attached device ${NAME} (26) to id=7
iommufd_backend_disconnect fd=15 users=1`;
    expect(deeds(text)).toHaveLength(3);
  });
});

describe('groups and containers', () => {
  test.each([
    ['vfio_put_group close group->fd=21', close(21)],
    ['vfio_group_put close group->fd=21', close(21)],
    ['vfio_put_base_device close vdev->fd=22', close(22)],
    ['vfio_device_put close vdev->fd=22', close(22)],
    ['vfio_disconnect_container close container->fd=20', close(20)],
    ['vfio_container_disconnect close container->fd=20', close(20)],
    [`vfio_realize  (${NAME}) group 33`, { did: 'plug', device: NAME, group: '33', driver: null }],
    [
      `vfio_get_device Device ${NAME} flags: 2, regions: 9, irqs: 5`,
      { did: 'find', fd: null, kind: 'device', device: NAME, group: null },
    ],
    [
      `vfio_device_get Device ${NAME} flags: 2, regions: 9, irqs: 5`,
      { did: 'find', fd: null, kind: 'device', device: NAME, group: null },
    ],
    [
      'vfio_pci_hot_reset_dep_devices \t0000:41:00.1 group 33',
      { did: 'plug', device: '0000:41:00.1', group: '33', driver: null },
    ],
  ])('%s', (line, deed) => {
    expect(deeds(line)).toEqual([deed]);
  });

  test('a device that was obtained is of the group that was named before', () => {
    const text = `vfio_attach_device  (${NAME}) group 33\nvfio_get_device Device ${NAME} flags: 2, regions: 9`;
    expect(deeds(text)[1]).toMatchObject({ kind: 'device', device: NAME, group: '33' });
  });
});

test('refusals, traced and written', () => {
  const text = `
7@1772600767.000001:iommufd_cdev_fail_attach_existing_container  [iommufd=15] error attach ${NAME} (26) to id=2: Invalid argument
7@1772600767.000002:vfio_pci_hot_reset_result ${NAME} hot reset: Success
2026-03-04T05:06:07.000003Z qemu-kvm: -device x: vfio ${NAME}: failed to open /dev/vfio/33: Device or resource busy
`;
  const refused = { did: 'report', device: NAME, cause: null, pid: 7 };
  expect(shownBy(qemuTraceParser(), text)).toMatchObject([
    { ...refused, operation: 'attach', errno: 'EINVAL', comm: 'qemu' },
    { ...refused, operation: 'open_group', group: '33', errno: 'EBUSY', comm: 'qemu-kvm' },
  ]);
});

test.each(lines(STORY))('recognized: %s', (line) => {
  expect(looksLikeQemuTrace(line)).toBe(true);
  expect(looksLikeQemuTrace(`4000@1772600767.000001:${line}`)).toBe(true);
  expect(looksLikeQemuTrace(`Mar 04 05:06:07 lab qemu-kvm[71]: ${line}`)).toBe(true);
  expect(looksLikeQemuTrace(`2026-03-04T05:06:07.1Z qemu-kvm(71:main): ${line}`)).toBe(true);
});

test.each([
  '',
  'qemu-kvm: -device vfio-pci: vfio 0000:41:00.0: failed to open /dev/vfio/33: Device or resource busy',
  'vfio_pci: add [10de:2204[ffffffff:ffffffff]] class 0x000000/00000000',
  'vfio_iommu_type1_attach_group: No interrupt remapping support',
  'qemu-system-x86_64: vfio_dma_map(0x55, 0x0, 0x8000, 0x7f) = -12 (Cannot allocate memory)',
  'virtio_queue_notify vdev 0x1 n 0 vq 0x2',
])('not recognized: %s', (line) => {
  expect(looksLikeQemuTrace(line)).toBe(false);
});

test('a known event that breaks off is rejected', () => {
  const parser = qemuTraceParser();
  expect(() => parser.line('iommufd_cdev_connect_and_bind  [iommufd=15] Succ')).toThrow(
    'breaks off',
  );
  expect(() => parser.line('vfio_put_group 1.000 pid=5 fd=x')).toThrow("'fd' is not a number");
});

test('however it is changed, it is read or rejected', () => {
  surviveMutation(qemuTraceParser, looksLikeQemuTrace, lines(STORY));
});

test('long lines take no long time', () => {
  readLongLines(qemuTraceParser, looksLikeQemuTrace, lines(STORY));
});
