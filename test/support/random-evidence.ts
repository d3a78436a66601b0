/**
 * Evidence at random, in which much happens: three devices in two groups, and processes that open,
 * bind, pass on and close them, whether or not a kernel could have let them.
 *
 * @module
 */
import fc from 'fast-check';
import type { Fact, LedgerEvent, Placed } from '../../events/vocabulary.ts';
import { callOf } from '../../operations/table.ts';
import { Kernel } from '../../machines/kernel.ts';
import { boot, fact, placed } from './any-evidence.ts';

export const addresses = ['0000:01:00.0', '0000:01:00.1', '0000:02:00.0'] as const;
export const groups = ['1', '2'] as const;
export const pids = [1, 2, 3] as const;

const pid = fc.constantFrom(...pids);
const fd = fc.integer({ min: 3, max: 6 });
const device = fc.constantFrom(...addresses);
const driver = fc.constantFrom('vfio-pci', 'e1000e');
const cloexec = fc.boolean();

const added = (address: string, group: string): Fact => ({
  type: 'device.added',
  data: { device: address, name: null, group, driver: 'vfio-pci', model: null, cdev: null },
});

/** What lies behind a descriptor is mostly what its number says, so that much of it goes well. */
const [IOMMUFD, CONTAINER, DEVICE, GROUP] = [3, 4, 5, 6];

/** What gives files contexts, and files to processes. */
const frequent = [
  fact('device.bound', {
    pid,
    fd: fc.constantFrom(DEVICE, DEVICE, GROUP),
    iommufd: fc.constant(IOMMUFD),
    id: fc.constant(null),
  }),
  fact('container.set', { pid, fd: fc.constant(GROUP), container: fc.constantFrom(3, 4) }),
  fact('device.obtained', { pid, fd: fc.constant(GROUP), device, as: fc.constant(DEVICE) }),
  fd.chain((same) => {
    return fact('descriptor.passed', {
      pid,
      fd: fc.constant(same),
      to: pid,
      as: fc.constant(same),
    });
  }),
  fd.chain((from) => {
    return fact('descriptor.duplicated', { pid, fd: fc.constant(from), as: fc.constant(from + 4) });
  }),
  fact('mapping.created', {
    pid,
    fd: fc.constant(DEVICE),
    mapping: fc.constantFrom(4096, 8192),
    region: fc.constant(0),
  }),
];

const common = [
  fact('iommufd.opened', { pid, fd: fc.constant(IOMMUFD), cloexec }),
  fact('container.opened', { pid, fd: fc.constant(CONTAINER), cloexec }),
  fact('device.opened', { pid, fd: fc.constantFrom(DEVICE, DEVICE, GROUP), device, cloexec }),
  fact('group.opened', { pid, fd: fc.constant(GROUP), group: fc.constantFrom(...groups), cloexec }),
  fact('process.forked', { pid, child: pid, comm: fc.constantFrom('p', 'c') }),
  fact('descriptor.closed', { pid, fd: fc.integer({ min: 3, max: 9 }) }),
];

const seldom = [
  fact('descriptor.passed', { pid, fd, to: pid, as: fd }),
  fact('descriptor.duplicated', { pid, fd, as: fd }),
  fact('container.unset', { pid, fd }),
  fact('mapping.removed', { pid, mapping: fc.constantFrom(4096, 8192) }),
  fact('process.started', { pid, comm: fc.constant('p'), cgroup: fc.constantFrom(null, '/a/b') }),
  fact('process.executed', { pid }),
  fact('process.exited', { pid, signal: fc.constant(null) }),
  fact('driver.bound', { device, driver, cdev: fc.constant(null) }),
  fact('driver.unbound', { device, driver }),
  fact('driver.unbind-blocked', {
    device,
    driver,
    next: fc.option(driver),
    waiter: fc.constant({ pid: null, comm: 'bash' }),
  }),
  fact('driver.settled', { device, driver: fc.option(driver) }),
  fact('device.removed', { device }),
  device.chain((address) => fc.constantFrom(...groups).map((group) => added(address, group))),
  fc.constant(boot),
];

const anyFact = fc.oneof(
  { arbitrary: fc.oneof(...frequent), weight: 6 },
  { arbitrary: fc.oneof(...common), weight: 3 },
  { arbitrary: fc.oneof(...seldom), weight: 1 },
);

const plugged = [
  boot,
  added(addresses[0], '1'),
  added(addresses[1], '1'),
  added(addresses[2], '2'),
];

/** A process that has one of each. */
const ready = (process: number, address: string): Fact[] => [
  { type: 'iommufd.opened', data: { pid: process, fd: IOMMUFD, cloexec: false } },
  { type: 'container.opened', data: { pid: process, fd: CONTAINER, cloexec: false } },
  { type: 'device.opened', data: { pid: process, fd: DEVICE, device: address, cloexec: false } },
];

const begin = [...plugged, ...ready(1, addresses[0]), ...ready(2, addresses[1])];

const facts = fc.array(anyFact, { minLength: 20, maxLength: 80 });

/** Logs that begin with a boot, the devices, and two processes that have them open. */
export const evidence: fc.Arbitrary<Placed<LedgerEvent>[]> = facts.map((some) =>
  placed([...begin, ...some]),
);

/** The same without most of what the rules would not have let happen: owners stay known. */
export const likely: fc.Arbitrary<Placed<LedgerEvent>[]> = facts.map((some) => {
  const kernel = new Kernel();
  let position = 0;
  const take = (each: Fact): void => kernel.take({ ...each, position: position++ } as Placed);
  for (const each of begin) take(each);
  const admitted = some.filter((each) => {
    const call = callOf({ ...each, position } as Placed)?.call;
    if (call !== undefined && kernel.judge(call) !== null) return false;
    take(each);
    return true;
  });
  return placed([...begin, ...admitted]);
});
