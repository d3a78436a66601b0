import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Fact } from '../../../events/vocabulary.ts';
import { LiveHost } from '../../../machines/live-host.ts';
import { takeIfPossible } from '../../../projections/why/possible.ts';
import { countOf } from '../../support/effort.ts';
import { calledHost, played } from '../../support/random-calls.ts';
import { placed, type Log } from '../../support/random-logs.ts';

/** Plays a log that nothing is left out of: every event is possible, and does what it did. */
function expectSame(log: Log): void {
  const [host, tried] = [new LiveHost(), new LiveHost()];
  for (const event of log) {
    host.take(event);
    // An event that contradicts the rules is not possible: calls do not notice unplugged devices.
    if (host.contradictions.length > 0) return;
    takeIfPossible(tried, event);
    const { position, type, data } = event;
    const state = { ...host.save(), position };
    expect({ ...tried.save(), position }, `${position} ${type} ${JSON.stringify(data)}`).toEqual(
      state,
    );
  }
}

test('a history that nothing is left out of is played as it was', () => {
  const runs = countOf('histories played as they were', { test: 20, soak: 200, full: 2000 });
  fc.assert(fc.property(calledHost({ min: 100, max: 250 }), expectSame), { numRuns: runs });
});

const refusedBind =
  '@P2 open_iommufd I; @P2 open_cdev B d1; @P2 bind B I; open_cdev A d0; set_driver d0 e1000e; close A';

/** Statements whose last event was possible for a reason of its own. */
const possible = {
  'an open through /proc/self/fd of a device that leaves':
    'open_cdev A d2; set_driver d2 vfio-pci; open_path B /proc/self/fd/3; close A',
  'a bind after a driver change that was refused and collected': `${refusedBind}; bg_wait;
    set_driver d2 none; set_driver d2 vfio-pci`,
};

test.each(Object.entries(possible))('an event stays possible: %s', (_, statements) => {
  expectSame(played(statements.split(';').map((line) => line.trim())));
});

test.each(['e1000e', 'no-such-driver'])(
  'an unbind that need not wait does not bind %s',
  (driver) => {
    const own = '@P2 open_iommufd I; @P2 open_cdev B d1; @P2 bind B I'.split('; ');
    const log = played([...own, 'open_cdev A d0', `set_driver d0 ${driver}`]);
    const host = new LiveHost();
    const held = log.findLastIndex(({ type }) => type === 'device.opened');
    for (const event of log.toSpliced(held, 1)) takeIfPossible(host, event);
    expect(host.device('0000:01:00.0')?.driver).toBe(null);
  },
);

const device = (address: string, group: string, driver: string | null, cdev: string | null) =>
  ({
    type: 'device.added',
    data: { device: address, name: null, group, driver, model: null, cdev },
  }) as const;

test('a driver is bound while the unbind of another device waits', () => {
  const [held, other] = ['0000:01:00.0', '0000:02:00.0'];
  const facts: readonly Fact[] = [
    {
      type: 'host.booted',
      data: { boot: 'b', kernel: '6.12.1', profile: null, iommufd: true, simulated: true },
    },
    device(held, '1', 'vfio-pci', 'vfio0'),
    device(other, '2', null, null),
    { type: 'process.started', data: { pid: 1, comm: 'qemu', cgroup: null } },
    { type: 'device.opened', data: { pid: 1, fd: 3, device: held, cloexec: false } },
    {
      type: 'driver.unbind-blocked',
      data: { device: held, driver: 'vfio-pci', next: null, waiter: { pid: null, comm: 'bash' } },
    },
    { type: 'driver.bound', data: { device: other, driver: 'vfio-pci', cdev: 'vfio1' } },
  ];
  expectSame(placed(facts));
});

test('an unbind waits for a file that was not recorded, on a host whose boot was not recorded', () => {
  const evidence = { source: 'sysfs', line: null, certainty: 'assumed' } as const;
  const boot = { boot: 'b', kernel: '6.12.1', profile: null, iommufd: true, simulated: false };
  const waiter = { pid: null, comm: 'bash' };
  const waits = { device: '0000:01:00.0', driver: 'vfio-pci', next: null, waiter };
  expectSame(
    placed([
      { type: 'host.booted', data: { ...boot, evidence } },
      device('0000:01:00.0', '1', 'vfio-pci', 'vfio0'),
      { type: 'driver.unbind-blocked', data: waits },
    ]),
  );
});
