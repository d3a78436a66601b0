/**
 * A driver's open order, tested on every kernel without a device. Run it with
 * `npm test -- examples`. A program imports from 'vfio-ledger/virtual-host'.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { virtualHost, type VirtualProcess } from '../virtual-host/virtual-host.ts';

const topology = readFileSync(new URL('host.topology.json', import.meta.url), 'utf8');

/** The driver under test: opens a device and an address space for it. */
function openDevice(process: VirtualProcess, name: string) {
  const iommufd = process.openIommufd();
  const device = process.openCdev(name);
  device.bind(iommufd);
  device.attach(iommufd.allocIoas());
  return device;
}

describe.each(['linux-6.12', 'linux-7.3'])('on %s', (profile) => {
  test('the device belongs to who has opened it, until it is closed', () => {
    const host = virtualHost({ profile, topology });
    const device = openDevice(host.process('qemu'), 'gpu');
    expect(host.ledger.who('gpu').owner).toMatchObject({ kind: 'iommufd' });
    device.close();
    expect(host.ledger.who('gpu').owner).toMatchObject({ kind: 'none' });
  });

  test('a second process is refused the other function of the card', () => {
    const host = virtualHost({ profile, topology });
    openDevice(host.process('qemu'), 'gpu');
    const refused = expect.objectContaining({
      code: 'EPERM',
      refusal: expect.objectContaining({ cause: 'owned-by-other-iommufd' }),
    });
    expect(() => openDevice(host.process('other'), 'gpu-audio')).toThrow(refused);
  });
});

describe.each(['linux-5.10', 'linux-6.1'])('on %s, which has no iommufd', (profile) => {
  test('the driver fails as it should: it would need the legacy way there', () => {
    const host = virtualHost({ profile, topology });
    const missing = { code: 'ENOENT', path: '/dev/iommu' };
    expect(() => openDevice(host.process('qemu'), 'gpu')).toThrow(expect.objectContaining(missing));
    expect(host.ledger.who('gpu').owner).toMatchObject({ kind: 'none' });
  });
});

test('by rfc-2021, a proposal, the second process is refused with another errno', () => {
  const host = virtualHost({ profile: 'rfc-2021', topology });
  openDevice(host.process('qemu'), 'gpu');
  const refused = expect.objectContaining({ code: 'EBUSY' });
  expect(() => openDevice(host.process('other'), 'gpu-audio')).toThrow(refused);
});
