import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NAMELESS } from '../../machines/unshown.ts';
import { walk } from '../../projections/walk.ts';
import { Timeline } from '../../projections/timeline.ts';
import { anyHistory } from '../support/any-history.ts';
import { countOf } from '../support/effort.ts';

test('what owns a group for sure is open, whatever the log claims', () => {
  let owned = 0;
  fc.assert(
    fc.property(anyHistory, (log) => {
      const timeline = new Timeline();
      for (const event of log) timeline.take(event);
      for (const { event, host } of walk(timeline)) {
        for (const { group, owner, isUnknown } of host.groups()) {
          if (isUnknown || owner === null || owner === NAMELESS) continue;
          owned++;
          expect(host.file(owner)?.id, `group ${group} after ${event.position}`).toBe(owner);
        }
      }
    }),
    { numRuns: countOf('owners that are open', { test: 60, soak: 2000, full: 50_000 }) },
  );
  expect(owned).toBeGreaterThan(0);
});

test('a device that another group gave leaves both of them unknown', () => {
  const timeline = new Timeline();
  const facts = [
    [
      'host.booted',
      { boot: 'b', kernel: '6.12.0', profile: null, iommufd: true, simulated: false },
    ],
    ['device.added', device('0000:01:00.0', '1')],
    ['device.added', device('0000:02:00.0', '2')],
    ['iommufd.opened', { pid: 1, fd: 3, cloexec: false }],
    ['ioas.allocated', { pid: 1, fd: 3, id: 1 }],
    ['compat-ioas.set', { pid: 1, fd: 3, ioas: 1 }],
    ['group.opened', { pid: 1, fd: 4, group: '1', cloexec: false }],
    ['container.set', { pid: 1, fd: 4, container: 3 }],
    ['device.obtained', { pid: 1, fd: 4, device: '0000:02:00.0', as: 5 }],
    ['process.exited', { pid: 1, signal: null }],
  ] as const;
  for (const [position, [type, data]] of facts.entries()) {
    timeline.take({ type, data, position, id: `e${position}`, time: null } as never);
  }
  const kinds = () => [...timeline.host.groups()].map(({ group, isUnknown }) => [group, isUnknown]);
  expect(kinds()).toEqual([
    ['1', true],
    ['2', true],
  ]);
});

function device(address: string, group: string) {
  return { device: address, name: null, group, driver: 'vfio-pci', model: null, cdev: null };
}
