import { describe, expect, test } from 'vitest';
import { virtualHost, type SystemError } from '../../virtual-host/virtual-host.ts';

const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [
    { name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' },
    { name: 'audio', bdf: '0000:3b:00.1', group: 26, driver: 'vfio-pci', cdev: 'vfio1' },
  ],
};
const [BIND, ATTACH, IOAS_ALLOC, GET_STATUS] = [0x3b76, 0x3b77, 0x3b81, 0x3b67];
const [MAP_DMA, IRQ_INFO, GET_DEVICE_FD] = [0x3b71, 0x3b6d, 0x3b6a];

function words(...fields: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(fields, (field) => field >>> 0).buffer);
}

function opened() {
  const host = virtualHost({ topology, profile: 'linux-7.3' });
  const system = host.process('driver').systemCalls;
  const device = system.open('/dev/vfio/devices/vfio0', 2);
  const iommufd = system.open('/dev/iommu', 0o2000002);
  return { host, system, device, iommufd };
}

test('a driver that encodes its own structures binds and attaches', () => {
  const { host, system, device, iommufd } = opened();
  const bind = words(16, 0, iommufd, 0);
  expect(system.ioctl(device, BIND, bind)).toBe(0);
  expect(bind).toEqual(words(16, 0, iommufd, 1));
  const ioas = words(12, 0, 0);
  system.ioctl(iommufd, IOAS_ALLOC, ioas);
  expect(ioas).toEqual(words(12, 0, 2));
  const attach = words(12, 0, 2);
  system.ioctl(device, ATTACH, attach);
  expect(attach).toEqual(words(12, 0, 3));
  expect(host.ledger.who('gpu').owner.holders).toMatchObject([{ fd: 3 }, { fd: 4 }]);
  const child = system.fork('child');
  host.process('driver').exec();
  expect(() => system.close(iommufd)).toThrow('EBADF: bad file descriptor, close');
  child.close(iommufd);
  child.close(device);
  system.close(device);
  expect(host.ledger.who('gpu').owner.kind).toBe('none');
});

test('bytes may begin anywhere in a buffer, and names end with a zero byte', () => {
  const { host } = opened();
  const system = host.process('legacy').systemCalls;
  const group = system.open('/dev/vfio/26');
  const container = system.open('/dev/vfio/vfio');
  const buffer = words(0, 0, container, 0);
  expect(system.ioctl(group, 0x3b68, buffer.subarray(8, 12))).toBe(0);
  expect(system.ioctl(container, 0x3b66, 3)).toBe(0);
  const status = words(8, 0);
  system.ioctl(group, GET_STATUS, status);
  expect(status).toEqual(words(8, 3));
  const name = new TextEncoder().encode('0000:3b:00.1\0rest');
  expect(system.ioctl(group, GET_DEVICE_FD, name)).toBe(5);
});

describe('wrong bytes', () => {
  test('are answered as the kernel does where the rules know it', () => {
    const { system, device, iommufd } = opened();
    const swapped = words(16, 0, iommufd, 0).toReversed();
    expect(() => system.ioctl(device, BIND, swapped)).toThrow('EINVAL: invalid argument, ioctl');
    expect(() => system.ioctl(device, BIND, words(15, 0, iommufd, 0))).toThrow('EINVAL');
    expect(() => system.ioctl(device, BIND, words(16, 4, iommufd, 0))).toThrow('EINVAL');
    expect(() => system.ioctl(device, BIND, words(16, 0, -1, 0))).toThrow('EINVAL');
    expect(() => system.ioctl(device, BIND)).toThrow('EFAULT');
    expect(() => system.ioctl(iommufd, 0x3bff, words(4))).toThrow('ENOTTY');
    expect(() => system.ioctl(iommufd, BIND, words(1))).toThrow('ENOTTY');
    expect(() => system.ioctl(99, BIND, words(16, 0, iommufd, 0))).toThrow('EBADF');
    let refused: unknown;
    try {
      system.ioctl(device, ATTACH, words(12, 0, 2));
    } catch (error) {
      refused = error;
    }
    expect((refused as SystemError).refusal.cause).toBe('not-bound-yet');
  });

  test('are no guess where they do not', () => {
    const { host, system, device, iommufd } = opened();
    const before = host.ledger.length;
    const unsupported = expect.objectContaining({ code: 'unsupported' });
    const bad = expect.objectContaining({ code: 'bad-request' });
    expect(() => system.ioctl(device, BIND, words(16, 0))).toThrow(bad);
    expect(() => system.ioctl(device, BIND, 7)).toThrow(bad);
    expect(() => system.ioctl(iommufd, IOAS_ALLOC, words(8, 0, 0))).toThrow(unsupported);
    expect(() => system.ioctl(iommufd, IOAS_ALLOC, words(12, 1, 0))).toThrow(unsupported);
    expect(() => system.ioctl(iommufd, MAP_DMA, words(24, 3, 0, 0, 0, 0, 0, 0))).toThrow(
      unsupported,
    );
    expect(() => system.ioctl(device, IRQ_INFO, words(16, 0, 0, 0))).toThrow(unsupported);
    expect(() => system.mmap(device, 8192, 0)).toThrow(unsupported);
    expect(host.ledger.length).toBe(before);
  });
});

test('bytes in the place of a number are told, as the kernel would take their address', () => {
  const { host } = opened();
  const system = host.process('legacy').systemCalls;
  const container = system.open('/dev/vfio/vfio');
  system.ioctl(system.open('/dev/vfio/26'), 0x3b68, words(container));
  const before = host.ledger.length;
  // VFIO_CHECK_EXTENSION and VFIO_SET_IOMMU.
  for (const request of [0x3b65, 0x3b66]) {
    const asked = () => system.ioctl(container, request, words(3));
    expect(asked).toThrow(
      expect.objectContaining({
        code: 'bad-request',
        message: `ioctl 0x${request.toString(16)} takes a number, not bytes`,
      }),
    );
  }
  expect(host.ledger.length).toBe(before);
  expect(system.ioctl(container, 0x3b66, 3)).toBe(0);
});
