import { openSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import { describe, expect, test } from 'vitest';
import { kernelRules } from '../../machines/machines.ts';
import { profiles } from '../../machines/profile.ts';
import { errnos, SystemError } from '../../virtual-host/system-error.ts';
import { virtualHost } from '../../virtual-host/virtual-host.ts';

const GPU = '0000:3b:00.0';
const AUDIO = '0000:3b:00.1';
const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [
    { name: 'gpu', bdf: GPU, group: 26, driver: 'vfio-pci', cdev: 'vfio0', model: 'e1000e' },
    { name: 'audio', bdf: AUDIO, group: 26, driver: 'vfio-pci', cdev: 'vfio1' },
    { name: 'nic', bdf: '0000:5e:00.0', group: 40, driver: 'mlx5_core' },
  ],
};

/** The error that a call throws. */
function refusalOf(call: () => unknown): SystemError {
  try {
    call();
  } catch (error) {
    if (error instanceof SystemError) return error;
    throw error;
  }
  throw new Error('the call passed');
}

test('the owner of a group shows in the ledger of the host', () => {
  const host = virtualHost({ profile: 'linux-7.3', topology });
  const qemu = host.process('qemu');
  const device = qemu.openCdev('gpu');
  expect(device.bind(qemu.openIommufd())).toBe(1);
  expect(host.ledger.who('gpu').owner).toMatchObject({
    kind: 'iommufd',
    holders: [
      { comm: 'qemu', fd: 3 },
      { comm: 'qemu', fd: 4 },
    ],
  });
  expect(host.ledger.events.map(({ type }) => type)).toEqual(
    'host.booted device.added device.added device.added process.started device.opened iommufd.opened device.bound'.split(
      ' ',
    ),
  );
  expect(host.process('qemu')).toBe(qemu);
  qemu.exit();
  expect(host.ledger.who('gpu').owner.kind).toBe('none');
  expect(host.process('qemu').pid).not.toBe(qemu.pid);
});

describe('a refusal', () => {
  test('is an error as Node throws one, and explains itself', () => {
    const host = virtualHost({ profile: 'linux-7.3', topology });
    const [qemu, other] = [host.process('qemu'), host.process('other')];
    qemu.openCdev(GPU).bind(qemu.openIommufd());
    const audio = other.openCdev(AUDIO);
    const error = refusalOf(() => audio.bind(other.openIommufd()));
    expect(error.message).toBe('EPERM: operation not permitted, ioctl');
    expect(Object.fromEntries(Object.entries(error))).toEqual({
      errno: -1,
      code: 'EPERM',
      syscall: 'ioctl',
    });
    expect(error.refusal).toMatchObject({
      operation: 'bind',
      errno: 'EPERM',
      cause: 'owned-by-other-iommufd',
      blocker: { kind: 'iommufd', holders: [{ comm: 'qemu' }, { comm: 'qemu' }] },
      wouldPassAfter: null,
    });
    expect(host.ledger.explain(error.refusal)).toContain('owned-by-other-iommufd');
    qemu.exit();
    expect(error.refusal.wouldPassAfter).toBe(host.ledger.length - 1);
  });

  test('of an open has the shape and the words of Node’s own', () => {
    const path = '/proc/self/nothing';
    let real: unknown;
    try {
      openSync(path, 'r');
    } catch (error) {
      real = error;
    }
    const host = virtualHost({ topology: { ...topology, iommufd: false } });
    const ours = refusalOf(() => host.process('p').openIommufd());
    expect(ours.message).toBe((real as Error).message.replace(path, '/dev/iommu'));
    const said = Object.entries(real as object).map(([key, value]) => [
      key,
      value === path ? '/dev/iommu' : value,
    ]);
    expect(Object.entries(ours)).toEqual(said);
  });

  test('names the path that could not be opened', () => {
    const host = virtualHost({ topology });
    const p = host.process('p');
    const group = p.openGroup('gpu');
    expect(refusalOf(() => p.openGroup(26))).toMatchObject({
      message: "EBUSY: resource busy or locked, open '/dev/vfio/26'",
      path: '/dev/vfio/26',
    });
    expect(refusalOf(() => p.openCdev('nic'))).toMatchObject({
      code: 'ENOENT',
      path: '/sys/bus/pci/devices/0000:5e:00.0/vfio-dev',
    });
    expect(refusalOf(() => p.open('/dev/vfio/devices/vfio7'))).toMatchObject({
      code: 'ENOENT',
      path: '/dev/vfio/devices/vfio7',
    });
    group.close();
    expect(p.open('/dev/vfio/26').fd).toBe(group.fd);
  });

  test('of any check has a number and words: those of libuv, if it has any', () => {
    const words = new Map(getSystemErrorMap().values());
    const numbers = new Map([...getSystemErrorMap()].map(([number, [name]]) => [name, -number]));
    const operations = profiles.flatMap((profile) =>
      Object.values(kernelRules(profile).operations),
    );
    const all = new Set(operations.flatMap(({ checks }) => checks.map(({ errno }) => errno)));
    expect(all.size).toBeGreaterThan(10);
    for (const errno of all) {
      expect(Object.keys(errnos)).toContain(errno);
      const [number, text] = errnos[errno] ?? [];
      if (words.has(errno)) expect([number, text]).toEqual([numbers.get(errno), words.get(errno)]);
    }
  });
});

test('a device or group that the topology does not have is told, with the nearest names', () => {
  const host = virtualHost({ topology });
  const p = host.process('p');
  const unknown = { code: 'unknown-subject' };
  expect(() => p.openCdev('gpus')).toThrow(expect.objectContaining(unknown));
  expect(() => p.openCdev('gpus')).toThrow(
    "the topology has no device 'gpus'; there are gpu, audio, nic; did you mean gpu?",
  );
  expect(() => p.openGroup('gpuu')).toThrow(
    "the topology has no group 'gpuu'; there are gpu, audio, nic, g26, g40; did you mean gpu?",
  );
  expect(() => host.setDriver('nics', null)).toThrow('did you mean nic?');
  // An address is what a program may ask for, whether or not a device has it.
  expect(refusalOf(() => p.openCdev('0000:99:00.0'))).toMatchObject({ code: 'ENOENT' });
  expect(refusalOf(() => p.openGroup(99))).toMatchObject({ code: 'ENOENT', path: '/dev/vfio/99' });
  // A device that was unplugged is one that the topology has.
  host.setDriver('gpu', null);
  expect(refusalOf(() => p.openCdev('gpu'))).toMatchObject({ code: 'ENOENT' });
});

test('a driver change waits for the last file of its device', () => {
  const host = virtualHost({ topology });
  const p = host.process('p');
  const device = p.openCdev('gpu');
  expect(refusalOf(() => host.finishDriverChange())).toMatchObject({
    code: 'ECHILD',
    syscall: 'wait',
    message: 'ECHILD: no child processes, wait',
  });
  expect(host.setDriver('gpu', null)).toBe('pending');
  expect(host.finishDriverChange()).toBe('pending');
  device.close();
  expect(host.finishDriverChange()).toBe('done');
  expect(host.ledger.at('end').device(GPU)).toMatchObject({ driver: null });
});

test('arguments of a structure are those of the caller, and nothing else of its object is', () => {
  const host = virtualHost({ topology });
  const p = host.process('p');
  const device = p.openCdev('gpu');
  const given = { argsz: 8, pid: 7, fd: 9 };
  expect(refusalOf(() => device.bind(p.openIommufd(), given))).toMatchObject({ code: 'EINVAL' });
  expect(host.ledger.events.at(-1)?.data).toEqual({
    operation: 'bind',
    pid: p.pid,
    fd: 3,
    iommufd: 4,
    argsz: 8,
    errno: 'EINVAL',
  });
});
