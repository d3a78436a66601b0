import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openLedger, StaleViewError } from '../../../ledger.ts';
import type { FileAt, HostAt, ProcessAt } from '../../../machines/host-at.ts';
import { LiveHost } from '../../../machines/live-host.ts';
import { byNumber } from '../../../projections/views.ts';
import { positionOf } from '../../../processes/process-table.ts';
import { countOf } from '../../support/effort.ts';
import { anyLog, placed, type Log } from '../../support/random-logs.ts';
import { Timeline } from '../../../projections/timeline.ts';

/** All that a host tells, in an order of our own. */
function pictureOf(host: HostAt) {
  const ids = [...host.files()].map(({ id }) => id);
  const pids = [...host.processes()].map(({ pid }) => pid).toSorted((a, b) => a - b);
  return {
    isKnown: host.isKnown,
    change: host.driverChange?.isOver === false ? waiting(host.driverChange) : null,
    groups: [...host.groups()].map(groupOf).toSorted((a, b) => byNumber(a.group, b.group)),
    devices: [...host.devices()].map(deviceOf).toSorted((a, b) => (a.device < b.device ? -1 : 1)),
    files: ids.map((id) => [fileOf(host.file(id)), host.holders(id), host.isHeld(id)]),
    processes: pids.map((pid) => processOf(host.process(pid))),
    behind: pids.flatMap((pid) =>
      [3, 4, 5].map((fd) => [pid, fd, ours(host, host.fileBehind(pid, fd))]),
    ),
  };
}

type Change = NonNullable<HostAt['driverChange']>;
const waiting = ({ device, waiter: { pid, comm } }: Change) => ({ device, pid, comm });

function groupOf(at: ReturnType<HostAt['group']> & object) {
  const { group, isUnknown, claims, opener, certainty } = at;
  // Of an owner that nobody can say there is nothing more to tell.
  const owner = isUnknown ? null : { state: at.state, owner: at.owner };
  return { group, isUnknown, claims, opener, certainty, owner };
}

function deviceOf({
  device,
  name,
  group,
  driver,
  cdev,
  state,
}: ReturnType<HostAt['device']> & object) {
  return { device, name, group, driver, cdev, state };
}

function fileOf(at: FileAt | undefined) {
  if (at === undefined) return undefined;
  const { id, kind, group, device, isGone, container, pins } = at;
  const pinnedBy = at.pinnedBy.toSorted((a, b) => positionOf(a) - positionOf(b));
  return { id, kind, group, device, isGone, container, pins, pinnedBy };
}

function processOf(at: ProcessAt | undefined) {
  if (at === undefined) return undefined;
  const { pid, comm, cgroup, vm, mapped } = at;
  const descriptors = [...at.descriptors].map(([fd, { file }]) => [fd, file] as const);
  const held = { mapped: mapped.toSorted(), descriptors: descriptors.toSorted(byFd) };
  return { pid, comm, cgroup, vm, ...held };
}

const byFd = ([a]: readonly [number, string], [b]: readonly [number, string]) => a - b;

/** Evidence may have a descriptor stand for a file that nobody has seen to be opened. */
function ours(host: HostAt, id: string | undefined) {
  return id === undefined || host.file(id) === undefined ? null : id;
}

function liveAt(log: Log, position: number): LiveHost {
  const host = new LiveHost();
  for (const event of log.slice(0, position + 1)) host.take(event);
  return host;
}

test('a live host, a restored one and the time index tell the same of a host', () => {
  fc.assert(
    fc.property(
      anyLog,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 4, max: 80 }),
      (log, share, whole) => {
        const position = Math.round(share * log.length) - 1;
        const timeline = new Timeline({ whole });
        for (const event of log) timeline.take(event);
        const live = liveAt(log, position);
        const expected = pictureOf(live);
        expect(pictureOf(live.copy())).toEqual(expected);
        expect(pictureOf(timeline.playedAt(position))).toEqual(expected);
        expect(pictureOf(timeline.hostAt(position))).toEqual(expected);
      },
    ),
    { numRuns: countOf('pictures', { test: 100, soak: 1000 }) },
  );
});

test('a terminal is no file of the log, mapped or not', () => {
  const log = placed([
    { type: 'process.started', data: { pid: 3, comm: 'p', cgroup: null } },
    { type: 'mapping.created', data: { pid: 3, fd: 1, mapping: 4096, region: 0 } },
  ]);
  const timeline = new Timeline({ whole: 4 });
  for (const event of log) timeline.take(event);
  for (const host of [liveAt(log, 1), timeline.playedAt(1), timeline.hostAt(1)]) {
    expect(processOf(host.process(3))).toMatchObject({ descriptors: [], mapped: [] });
  }
  for (const host of [liveAt(log, 1), timeline.playedAt(1)]) {
    expect([host.fileBehind(3, 1), host.fileMapped(3, 4096)]).toEqual([undefined, undefined]);
  }
});

test('what a host tells are plain values: they stay as they were', () => {
  fc.assert(
    fc.property(anyLog, (log) => {
      const half = Math.floor(log.length / 2);
      const host = liveAt(log, half - 1);
      const told = [...host.groups(), ...host.devices(), ...host.files(), ...host.processes()];
      const before = structuredClone(told);
      for (const event of log.slice(half)) host.take(event);
      expect(told).toEqual(before);
    }),
    { numRuns: 60 },
  );
});

test('a host that is asked after the past went on to another moment throws', async () => {
  const ledger = await openLedger(':memory:');
  const topology = {
    kernel: '7.3.0',
    iommufd: true,
    devices: [{ name: 'd0', bdf: '0000:01:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' }],
  };
  await ledger.simulate('open_group G 26\nclose G\n', { topology });
  const early = ledger.hostAt(0);
  const [group] = [...early.groups()];
  const groups = early.groups();
  const late = ledger.hostAt(ledger.head.position);
  expect(late.group('26')?.opener).toBeNull();
  expect(() => early.group('26')).toThrow(StaleViewError);
  expect(() => [...groups]).toThrow(StaleViewError);
  for (const ask of [
    () => [...early.devices()],
    () => [...early.files()],
    () => [...early.processes()],
    () => early.file('f1'),
    () => early.device('0000:01:00.0'),
    () => early.process(101),
    () => early.fileBehind(101, 3),
    () => early.holders('f1'),
    () => early.isHeld('f1'),
    () => early.driverChange,
  ]) {
    expect(ask).toThrow(StaleViewError);
  }
  expect(group).toBeUndefined();
  expect(late.group('26')?.state).toBe('unowned');
});
