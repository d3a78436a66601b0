/**
 * Descriptors that come from a device or an iommufd and hold neither: dma-bufs of BARs, fault queues
 * and the eventfds of interrupts. Kernels let a device go while all of these are open.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLedger, readHost, type Ledger } from '../../ledger.ts';
import { temporaryFolder } from '../log/folder.ts';
import { copiedHost } from '../support/copied-host.ts';

const folder = temporaryFolder();
const bdf = '0000:3b:00.0';
const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [{ name: 'd0', bdf, model: 'edu', group: '26', driver: 'vfio-pci', cdev: 'vfio0' }],
};

/** As `/proc/PID/fd` shows them; the last two as older kernels name a dma-buf, and `lsof` the others. */
const bystanders = [
  '/dmabuf:',
  'anon_inode:[iommufd-pgfault]',
  'anon_inode:[eventfd]',
  'anon_inode:dmabuf',
  '[iommufd-pgfault]',
] as const;

const holdersOf = (ledger: Ledger) => ledger.who(bdf).holders.map(({ fd, via }) => `${via} ${fd}`);

/** Trace lines of a process that makes all of them, keeps them and gives the device up. */
function traced(withPaths: boolean): string {
  const on = (fd: number, path: string): string => (withPaths ? `${fd}<${path}>` : String(fd));
  const [device, iommufd] = [on(4, '/dev/vfio/devices/vfio0'), on(3, '/dev/iommu')];
  const [buffer, queue] = [on(5, '/dmabuf:'), on(7, 'anon_inode:[iommufd-pgfault]')];
  return [
    `openat(AT_FDCWD, "/dev/iommu", O_RDWR) = ${iommufd}`,
    `openat(AT_FDCWD, "/dev/vfio/devices/vfio0", O_RDWR) = ${device}`,
    `ioctl(${device}, VFIO_DEVICE_BIND_IOMMUFD, {argsz=16, flags=0, iommufd=3} => {out_devid=1}) = 0`,
    `ioctl(${device}, VFIO_DEVICE_FEATURE, 0x7ffc) = ${buffer}`,
    `mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, ${buffer}, 0) = 0x7f0000001000`,
    `eventfd2(0, EFD_CLOEXEC) = ${on(6, 'anon_inode:[eventfd]')}`,
    `ioctl(${device}, VFIO_DEVICE_SET_IRQS, 0x7ffc) = 0`,
    `ioctl(${iommufd}, _IOC(_IOC_NONE, 0x3b, 0x8e, 0), 0x7ffc) = 0`,
    `dup(${queue}) = ${on(8, 'anon_inode:[iommufd-pgfault]')}`,
    `dup(${buffer}) = ${on(9, '/dmabuf:')}`,
    `close(${device}) = 0`,
  ]
    .map((call, second) => `77 ${1_772_600_767 + second}.000000 ${call}`)
    .join('\n');
}

test.each([
  ['with paths', true],
  ['without', false],
])('a trace %s: the device is free once its file is closed', async (_, withPaths) => {
  const ledger = await openLedger(':memory:');
  await ledger.import(traced(withPaths), { format: 'strace', topology });
  expect(ledger.history(bdf).map(({ owner }) => owner.kind)).toContain('iommufd');
  expect(ledger.who(bdf).owner.kind).toBe('none');
  expect(holdersOf(ledger)).toEqual([]);
  expect(ledger.verify().faults).toEqual([]);
});

test('a listing of descriptors: only the file of the device holds it', async () => {
  const targets = ['/dev/vfio/devices/vfio0', ...bystanders];
  const rows = targets.map((target, at) => {
    return `lrwx------ 1 root root 64 Mar  4 05:06 ${at + 3} -> ${target}`;
  });
  const ledger = await openLedger(':memory:');
  await ledger.import(['$ ls -l /proc/77/fd', 'total 0', ...rows].join('\n'), { topology });
  expect(holdersOf(ledger)).toEqual(['fd 3']);
});

test('a reading of the host: the same, of descriptors and of mappings', () => {
  const all = ['/dev/vfio/devices/vfio0', ...bystanders];
  const descriptors = Object.fromEntries(all.map((path, at) => [at + 3, path]));
  const maps = bystanders.map((path, at) => {
    return `7f000000${at}000-7f000000${at + 1}000 rw-s 00000000 00:0e 1057                       ${path}`;
  });
  const devices = [{ device: bdf, group: '26', driver: 'vfio-pci', cdev: 'vfio0' }];
  const host = { devices, processes: [{ pid: 77, comm: 'qemu', descriptors, maps }] };
  const root = copiedHost(mkdtempSync(join(folder, 'host-')), host);
  const { processes } = readHost(root);
  rmSync(root, { recursive: true });
  expect(processes.flatMap((one) => one.descriptors.map(({ fd }) => fd))).toEqual([3]);
  expect(processes.flatMap((one) => one.mappings)).toEqual([]);
});
