import { describe, expect, test } from 'vitest';
import type { Fact } from '../../events/vocabulary.ts';
import { Kernel } from '../../machines/kernel.ts';
import { ClaimedHost } from '../../projections/audit/claimed-host.ts';
import { placed, unseenBoot } from '../support/any-evidence.ts';

const [gpu, audio] = ['0000:3b:00.0', '0000:3b:00.1'];
const cloexec = false;

function added(device: string, driver: string): Fact {
  return {
    type: 'device.added',
    data: { device, name: null, group: '26', driver, model: null, cdev: null },
  };
}
const openIommufd = (fd: number): Fact => ({
  type: 'iommufd.opened',
  data: { pid: 1, fd, cloexec },
});
const openCdev = (fd: number, device: string): Fact => {
  return { type: 'device.opened', data: { pid: 1, fd, device, cloexec } };
};
const openGroup = (fd: number, group = '26'): Fact => {
  return { type: 'group.opened', data: { pid: 1, fd, group, cloexec } };
};
const bind = (fd: number, iommufd: number | null): Fact => {
  return { type: 'device.bound', data: { pid: 1, fd, iommufd, id: null } };
};

/** What the last of some facts shows, on a host whose boot nobody saw, of who is gone and who is left. */
function seen(...facts: readonly Fact[]) {
  const [host, claims] = [new Kernel(), new ClaimedHost()];
  for (const event of placed([unseenBoot, ...facts])) {
    host.take(event);
    claims.take(event, host.touched);
  }
  const { evicted, unbound } = host.touched;
  const drivers = [...claims.devices.values()].map(({ driver }) => driver);
  return { evicted: [...evicted], unbound: [...unbound], files: [...claims.files.keys()], drivers };
}

describe('a call that passes', () => {
  test('shows that the file of its group is closed, and is no more than one event', () => {
    const twice = [added(gpu, 'vfio-pci'), openGroup(3), openGroup(4)];
    expect(seen(...twice)).toMatchObject({ evicted: ['f2'], files: ['f3'] });
    expect(seen(...twice, openIommufd(5))).toMatchObject({ evicted: [], files: ['f3', 'f4'] });
  });

  test('shows that kernel drivers have left its group', () => {
    const facts = [
      added(gpu, 'vfio-pci'),
      added(audio, 'snd_hda_intel'),
      openIommufd(3),
      openCdev(4, gpu),
      bind(4, 3),
    ];
    expect(seen(...facts)).toEqual({
      evicted: [],
      unbound: [audio],
      files: ['f3', 'f4'],
      drivers: ['vfio-pci', null],
    });
  });

  test('shows nothing of the file of a group that is dead', () => {
    const dies: Fact = { type: 'driver.unbound', data: { device: gpu, driver: 'vfio-pci' } };
    const comes: Fact = {
      type: 'driver.bound',
      data: { device: gpu, driver: 'vfio-pci', cdev: null },
    };
    const facts = [added(gpu, 'vfio-pci'), openGroup(3), dies, comes, openGroup(4)];
    expect(seen(...facts)).toMatchObject({ evicted: [], files: ['f2', 'f5'] });
  });

  test('shows as much of a group that nobody has seen a device of', () => {
    const facts = [openGroup(3, '7'), openGroup(4, '8'), openGroup(5, '7')];
    expect(seen(...facts)).toMatchObject({ evicted: ['f1'], files: ['f2', 'f3'] });
  });

  test('with an iommufd that is not shown, it shows nothing of whom another has let in', () => {
    const two = [
      added(gpu, 'vfio-pci'),
      added(audio, 'vfio-pci'),
      openIommufd(3),
      openCdev(4, gpu),
      bind(4, null),
      openCdev(5, audio),
    ];
    // It may be the same.
    expect(seen(...two, bind(5, null)).evicted).toEqual([]);
    expect(seen(...two, bind(5, 3)).evicted).toEqual([]);
  });
});
