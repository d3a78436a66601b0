/**
 * Evidence that fits the vocabulary, whether or not any kernel could have let it happen.
 *
 * @module
 */
import fc from 'fast-check';
import type { Fact, LedgerEvent, Placed } from '../../events/vocabulary.ts';

const pid = fc.integer({ min: 1, max: 3 });
const fd = fc.integer({ min: -1, max: 6 });
const id = fc.option(fc.integer({ min: 1, max: 4 }));
const device = fc.constantFrom('0000:01:00.0', '0000:01:00.1', '0000:02:00.0', '0000:09:00.0');
const driver = fc.constantFrom('vfio-pci', 'nvidia', 'pci-stub');
const group = fc.constantFrom('1', '2', '9');
const cloexec = fc.boolean();
const vm = fc.constantFrom('a', 'b', false, null);
/** A file of which the evidence shows when the kernel releases it. */
const pointer = fc.constantFrom('0x1', '0x2', '0x3');
const shown = { cloexec, pointer, releaseShown: fc.constant(true) };

export function fact(
  type: Fact['type'],
  data: Record<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<Fact> {
  return fc.record({ type: fc.constant(type), data: fc.record(data) }) as fc.Arbitrary<Fact>;
}

/** What messages tell of a refusal. */
const told = {
  errno: fc.option(fc.constantFrom('EPERM', 'EINVAL', 'ENODEV', 'EBADF')),
  pid,
  fd: fc.constant(null),
  device,
  group,
  cause: fc.constantFrom(undefined, 'owned-by-kernel-driver', 'not-ownership'),
  blocker: fc.constantFrom(undefined, { kind: 'group', id: '2' }),
};

const anyFact = fc.oneof(
  fact('device.added', {
    device,
    name: fc.constant(null),
    group: fc.option(group),
    driver: fc.option(driver),
    model: fc.constant(null),
    cdev: fc.constant(null),
  }),
  fact('device.removed', { device }),
  fact('driver.bound', { device, driver, cdev: fc.constant(null) }),
  fact('driver.unbound', { device, driver }),
  fact('driver.unbind-blocked', {
    device,
    driver,
    next: fc.option(driver),
    waiter: fc.constant({ pid: null, comm: 'bg' }),
  }),
  fact('driver.settled', { device, driver: fc.option(driver) }),
  fact('process.started', { pid, comm: fc.constant('p'), cgroup: fc.constant(null) }),
  fact('process.forked', { pid, child: pid, comm: fc.constant('c') }),
  fact('process.executed', { pid }),
  fact('process.executed', { pid, comm: fc.constant('e') }),
  fact('process.executed', { pid, vm }),
  fact('process.found', { pid, comm: fc.constantFrom('p', 'f'), cgroup: fc.constant(null) }),
  fact('process.found', { pid, comm: fc.constantFrom('p', null), cgroup: fc.constant(null), vm }),
  fact('process.exited', { pid, signal: fc.constant(null) }),
  fact('descriptor.duplicated', { pid, fd, as: fd }),
  fact('descriptor.passed', { pid, fd, to: pid, as: fd }),
  fact('descriptor.closed', { pid, fd }),
  fact('descriptor.flagged', { pid, fd, cloexec }),
  fact('mapping.created', {
    pid,
    fd,
    mapping: fc.constantFrom(4096, 8192),
    region: fc.constant(0),
  }),
  fact('mapping.removed', { pid, mapping: fc.constantFrom(4096, 8192) }),
  fact('group.opened', { pid, fd, group, cloexec }),
  fact('container.opened', { pid, fd, cloexec }),
  fact('iommufd.opened', { pid, fd, cloexec }),
  fact('device.opened', { pid, fd, device, cloexec }),
  fact('path.opened', { pid, fd, path: fc.constant('/dev/null'), cloexec }),
  fact('group.opened', { pid, fd, group, ...shown }),
  fact('iommufd.opened', { pid, fd, ...shown }),
  fact('device.opened', { pid, fd, device, ...shown }),
  fact('file.released', { pid, kind: fc.constantFrom('group', 'device', 'iommufd'), pointer }),
  fact('container.set', { pid, fd, container: fc.option(fd) }),
  fact('container.unset', { pid, fd }),
  fact('iommu.set', { pid, fd, iommu: fc.constant(3) }),
  fact('device.obtained', { pid, fd, device: fc.option(device), as: fd }),
  fact('device.bound', { pid, fd, iommufd: fc.option(fd), id }),
  fact('device.attached', { pid, fd, pt: fc.option(fc.integer({ min: 0, max: 4 })), hwpt: id }),
  fact('device.attached', {
    pid,
    fd,
    pt: fc.constant(3),
    hwpt: id,
    pasid: fc.constantFrom(null, 0, 1),
  }),
  fact('device.detached', { pid, fd }),
  fact('device.detached', { pid, fd, pasid: fc.constantFrom(null, 0, 1) }),
  fact('ioas.allocated', { pid, fd, id }),
  fact('object.destroyed', { pid, fd, object: fc.option(fc.integer({ min: 0, max: 4 })) }),
  fact('device.hot-reset', { pid, fd, groups: fc.array(fd, { maxLength: 2 }) }),
  fact('operation.refused', {
    operation: fc.constant('bind'),
    errno: fc.constantFrom('EPERM', 'EINVAL', 'EBUSY', 'EBADF'),
    pid,
    fd,
    iommufd: fc.option(fd),
  }),
  fact('operation.refused', {
    operation: fc.constant('open_group'),
    errno: fc.constantFrom('EPERM', 'EBUSY', 'ENOENT'),
    pid,
    group,
  }),
  fact('operation.refused', {
    ...told,
    operation: fc.constant('set_container'),
    container: fc.constant(null),
  }),
  fact('operation.refused', { ...told, operation: fc.constant('get_device') }),
  fact('group.found', { group }),
  fact('gap.noticed', { reason: fc.constant('lost'), group: fc.option(group) }),
  fact('snapshot.taken', { complete: fc.boolean(), unseen: fc.constant([]) }),
);

export const boot: Fact = {
  type: 'host.booted',
  data: { boot: 'b', kernel: '7.3.4', profile: null, iommufd: true, simulated: false },
};

/** The same, where nobody has seen it: what was there then is taken for granted. */
export const unseenBoot = {
  ...boot,
  data: { ...boot.data, evidence: { source: 'trace', line: null, certainty: 'assumed' } },
} as Fact;

export function placed(facts: readonly Fact[]): Placed<LedgerEvent>[] {
  return facts.map((each, position) => {
    return { ...each, position, id: `e${position}`, time: null } as Placed<LedgerEvent>;
  });
}

/** Logs of up to 40 such facts after a boot. */
export const anyEvidence: fc.Arbitrary<Placed<LedgerEvent>[]> = fc
  .tuple(fc.constantFrom(boot, unseenBoot), fc.array(anyFact, { maxLength: 40 }))
  .map(([begun, facts]) => placed([begun, ...facts]));
