import { expect, test } from 'vitest';
import type { Fact, LedgerEvent, Placed } from '../../../events/vocabulary.ts';
import { becauseOf } from '../../../projections/why/because.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { played } from '../../support/random-calls.ts';
import { placed } from '../../support/random-logs.ts';
import { compare, refusalsIn, timelineOf } from '../../support/tried-refusals.ts';

const boot = { boot: 'b', profile: null, simulated: true };
const added = { name: null, group: '1', model: null, driver: 'vfio-pci' };
const [first, second] = ['0000:01:00.0', '0000:01:00.1'];
const disk = { device: '0000:02:00.0', group: '2', driver: 'nvme', cdev: null };
const qemu = { pid: 100, comm: 'qemu', cgroup: null };

/** What an event that is left out leaves behind ends at a later event of another file. */
const leftovers: readonly (readonly [string, readonly Fact[]])[] = [
  [
    'an exec that closed copies of a descriptor, and then the exit of its process',
    [
      { type: 'host.booted', data: { ...boot, kernel: '7.3.4', iommufd: true } },
      { type: 'device.added', data: { ...added, device: first, cdev: 'vfio0' } },
      { type: 'device.added', data: { ...added, device: second, cdev: 'vfio1' } },
      { type: 'device.added', data: { ...added, ...disk } },
      { type: 'process.started', data: qemu },
      { type: 'iommufd.opened', data: { pid: 100, fd: 3, cloexec: true } },
      { type: 'device.opened', data: { pid: 100, fd: 4, device: first, cloexec: true } },
      { type: 'device.bound', data: { pid: 100, fd: 4, iommufd: 3, id: 1 } },
      { type: 'device.opened', data: { pid: 100, fd: 5, device: second, cloexec: true } },
      { type: 'device.bound', data: { pid: 100, fd: 5, iommufd: 3, id: 2 } },
      { type: 'process.forked', data: { pid: 100, child: 200, comm: 'helper' } },
      { type: 'process.executed', data: { pid: 200 } },
      { type: 'process.exited', data: { pid: 200, signal: null } },
      {
        type: 'driver.unbind-blocked',
        data: {
          device: first,
          driver: 'vfio-pci',
          next: 'nvme',
          waiter: { pid: null, comm: 'driverctl' },
        },
      },
      { type: 'descriptor.closed', data: { pid: 100, fd: 4 } },
      { type: 'operation.refused', data: { operation: 'bg_wait', errno: 'EBUSY' } },
    ],
  ],
  [
    'a close, and then an open that reuses the descriptor',
    [
      { type: 'host.booted', data: { ...boot, kernel: '6.1.0', iommufd: false } },
      { type: 'device.added', data: { ...added, device: first, cdev: null } },
      { type: 'process.started', data: qemu },
      { type: 'group.opened', data: { pid: 100, fd: 3, group: '1', cloexec: false } },
      { type: 'container.opened', data: { pid: 100, fd: 4, cloexec: false } },
      { type: 'container.set', data: { pid: 100, fd: 3, container: 4 } },
      { type: 'descriptor.closed', data: { pid: 100, fd: 4 } },
      { type: 'container.opened', data: { pid: 100, fd: 4, cloexec: false } },
      { type: 'descriptor.duplicated', data: { pid: 100, fd: 3, as: 4 } },
      {
        type: 'operation.refused',
        data: { operation: 'set_iommu', pid: 100, fd: 4, iommu: 3, errno: 'ENOTTY' },
      },
    ],
  ],
];

/** What is left out keeps something there that a later event would have ended. */
const unplugged: readonly (readonly [string, readonly Fact[]])[] = [
  [
    'the driver that a device lost after it was unplugged',
    [
      { type: 'host.booted', data: { ...boot, kernel: '6.1.0', iommufd: false } },
      { type: 'device.added', data: { ...added, device: first, cdev: null } },
      { type: 'process.started', data: qemu },
      { type: 'device.removed', data: { device: first } },
      { type: 'driver.unbound', data: { device: first, driver: 'vfio-pci' } },
      {
        type: 'operation.refused',
        data: { operation: 'open_group', pid: 100, group: '1', cloexec: false, errno: 'ENOENT' },
      },
    ],
  ],
  [
    'that an unplugged device came back in another group',
    [
      { type: 'host.booted', data: { ...boot, kernel: '6.1.0', iommufd: false } },
      { type: 'device.added', data: { ...added, device: first, cdev: null } },
      { type: 'process.started', data: qemu },
      { type: 'device.removed', data: { device: first } },
      { type: 'device.added', data: { ...added, device: first, group: '3', cdev: null } },
      {
        type: 'operation.refused',
        data: { operation: 'open_group', pid: 100, group: '1', cloexec: false, errno: 'ENOENT' },
      },
    ],
  ],
];

test.each([...leftovers, ...unplugged])('a slice has %s', (_name, facts) => {
  const timeline = timelineOf(placed(facts));
  const refusals = refusalsIn(timeline);
  expect(refusals).toHaveLength(1);
  for (const refused of refusals) expect(compare(timeline, refused)).toBe(true);
});

/** A driver change that is refused and collected; then nothing that matters, for a long time. */
const collected = `set_driver d3 vfio-pci; @P2 open_iommufd I; @P2 open_cdev B d4; @P2 bind B I;
  open_cdev A d3; set_driver d3 e1000e; close A; bg_wait; @P2 close B; @P2 close I${'; open_container C; close C'.repeat(150)}`
  .split(';')
  .map((line) => line.trim());

/** Statements after it, the last of which is refused, and the type of the event that decides. */
const late = {
  'a device is bound in the group': [
    ['@P3 open_iommufd I', '@P3 open_cdev B d4', '@P3 bind B I', '@P4 open_cdev D d4'],
    ['@P5 open_group G d4'],
    'device.bound',
  ],
  'devices of that group and of another are attached': [
    [
      '@P3 open_iommufd I',
      '@P3 alloc_ioas I X',
      '@P3 open_cdev B d4',
      '@P3 bind B I',
      '@P3 attach B X',
      '@P3 open_cdev D d2',
      '@P3 bind D I',
      '@P3 attach D X',
    ],
    ['@P3 destroy I X'],
    'device.attached',
  ],
  'another driver change waits': [
    ['@P3 open_cdev B d2', 'set_driver d2 none'],
    ['set_driver d0 none'],
    'driver.unbind-blocked',
  ],
} as const;

test.each(Object.entries(late))(
  'a slice decides as the whole boot does after a driver change that waited: %s',
  (_, [before, refusedThen, type]) => {
    const timeline = timelineOf(placed(played([...collected, ...before, ...refusedThen])));
    const refused = refusalsIn(timeline).at(-1)!;
    expect(refused.position).toBe(timeline.head);
    const [because] = becauseOf(timeline, refused);
    expect(timeline.at(because ?? -1)?.type).toBe(type);
    expect(compare(timeline, refused)).toBe(true);
  },
);

test('two devices of a group that were unplugged, of which one is in memory alone', () => {
  const passing = Array.from({ length: 150 }, (_, index): readonly Fact[] => [
    { type: 'process.started', data: { ...qemu, pid: 1000 + index } },
    { type: 'process.exited', data: { pid: 1000 + index, signal: null } },
  ]);
  const unplugged = (device: string): readonly Fact[] => [
    { type: 'device.removed', data: { device } },
    { type: 'driver.unbound', data: { device, driver: 'vfio-pci' } },
  ];
  const events = placed([
    { type: 'host.booted', data: { ...boot, kernel: '6.1.0', iommufd: false } },
    { type: 'device.added', data: { ...added, device: first, cdev: null } },
    { type: 'device.added', data: { ...added, device: second, cdev: null } },
    { type: 'process.started', data: qemu },
    ...unplugged(second),
    ...passing.flat(),
    ...unplugged(first),
    {
      type: 'operation.refused',
      data: { operation: 'open_group', pid: 100, group: '1', cloexec: false, errno: 'ENOENT' },
    },
  ]);
  const reader = {
    at: (position: number) => events[position]!,
    many: (positions: readonly number[]) => positions.map((position) => events[position]!),
    between: (from: number, to: number) => events.slice(from, to + 1),
  };
  const timeline = new Timeline<Placed<LedgerEvent>>({ whole: 64, reader });
  for (const event of events) timeline.take(event);
  const held = timelineOf(events);
  const refused = refusalsIn(held).at(-1)!;
  expect(becauseOf(timeline, refused)).toEqual(becauseOf(held, refused));
});
