import * as fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLedger, readHost, type HostReading, type Ledger } from '../../../ledger.ts';
import type { Compare } from '../../../evidence/reading/kcmp.ts';
import { copiedHost, type CopiedHost } from '../../support/copied-host.ts';
import { anyHost } from '../../support/random-host.ts';
import { temporaryFolder } from '../../log/folder.ts';
import { countOf } from '../../support/effort.ts';

const folder = temporaryFolder();
const gpu = { device: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio2' };
const audio = { device: '0000:3b:00.1', group: '26', driver: 'vfio-pci', cdev: 'vfio3' };
const nic = { device: '0000:5e:00.0', group: '41', driver: 'vfio-pci', cdev: 'vfio0' };
/** The same in the hands of drivers of the kernel. */
const kept = { device: nic.device, group: nic.group, driver: 'ixgbe' };
const shown = { device: gpu.device, group: gpu.group, driver: 'nouveau' };
const disk = { device: '0000:01:00.0', group: '7', driver: 'nvme' };
const bar = (at: string, path = 'anon_inode:[vfio-device]') =>
  `${at} rw-s e0000000 00:0e 1057                       ${path}`;
const vm = '/machine.slice/machine-qemu\\x2d1\\x2dguest.scope';
const anonymous = { path: 'anon_inode:[vfio-device]', cloexec: true };

/** Every two descriptors are of two files, unless `same` names both. */
const telling =
  (...same: readonly (readonly [number, number])[]): Compare =>
  (pairs) =>
    pairs.map(([a, b]) => {
      const isIn = (place: { pid: number; fd: number }) =>
        same.some(([pid, fd]) => pid === place.pid && fd === place.fd);
      return (a.pid === b.pid && a.fd === b.fd) || (isIn(a) && isIn(b)) ? 'same' : 'different';
    });

function read(host: CopiedHost, compare: Compare = telling()): HostReading {
  const root = copiedHost(mkdtempSync(join(folder, 'host-')), host);
  try {
    return readHost(root, { compare });
  } finally {
    rmSync(root, { recursive: true });
  }
}

let clock = 0;
const time = () => new Date(Date.UTC(2026, 6, 1, 12, 0, clock++)).toISOString();

const typesOf = (events: readonly { type: string }[]) => events.map(({ type }) => type);
const snapshot = (ledger: Ledger, reading: HostReading) =>
  ledger.snapshot(reading, { time: time() });

/** A log with one snapshot, which is as the rules want it. */
async function taken(reading: HostReading): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await snapshot(ledger, reading);
  expect(ledger.verify().faults).toEqual([]);
  return ledger;
}

/** Every descriptor and every mapping of VFIO's that a reading shows. */
const heldIn = ({ processes }: HostReading) =>
  processes.flatMap(({ pid, descriptors, mappings }) => [
    ...descriptors.map(({ fd, kind }) => `${pid} fd ${fd} ${kind}`),
    ...mappings.map(({ kind }) => `${pid} mapping ${kind}`),
  ]);
const heldBy = (ledger: Ledger) =>
  ledger
    .at('end')
    .table()
    .files.flatMap(({ kind, holders }) =>
      holders.flatMap(({ pid, via, fd }) => {
        if (via !== 'fd' && via !== 'mapping') return [];
        return [via === 'fd' ? `${pid} fd ${fd} ${kind}` : `${pid} mapping ${kind}`];
      }),
    );

const legacy: CopiedHost = {
  devices: [gpu, audio, nic, disk],
  processes: [
    {
      pid: 4711,
      cgroup: vm,
      descriptors: {
        20: '/dev/vfio/vfio',
        21: '/dev/vfio/26',
        22: anonymous,
        23: anonymous,
      },
      maps: [],
    },
  ],
};

const modern: CopiedHost = {
  devices: [gpu, audio, nic, disk],
  processes: [
    {
      pid: 900,
      comm: 'cloud-hyperviso',
      descriptors: {
        5: '/dev/iommu',
        6: { path: '/dev/vfio/devices/vfio0', cloexec: true },
        7: { path: '/dev/vfio/devices/vfio2', cloexec: true },
      },
      maps: [
        bar('7f0000000000-7f0000010000', '/dev/vfio/devices/vfio0'),
        bar('7f0000020000-7f0000030000', '/dev/vfio/devices/vfio2'),
      ],
    },
  ],
};

describe('a host that nothing was known of', () => {
  test('a VM with a container owns its group, as must be for its devices to be open', async () => {
    const reading = read(legacy);
    const ledger = await taken(reading);
    const { owner, holders } = ledger.who('26');
    expect(owner).toMatchObject({ kind: 'container', certainty: 'inferred' });
    expect(holders.map(({ fd }) => fd)).toEqual([21, 22, 23]);
    expect(holders[0]).toMatchObject({ pid: 4711, comm: 'qemu-system-x86', cgroup: vm });
    expect(ledger.at('end').device(audio.device)).toMatchObject({ state: 'open' });
    expect(ledger.who('41').owner).toMatchObject({ kind: 'none' });
    expect(ledger.who('7').owner).toMatchObject({ kind: 'kernel' });
    expect(heldBy(ledger).toSorted()).toEqual(heldIn(reading).toSorted());
    const rules = ledger.log().map(({ data }) => data.evidence?.rule);
    expect(rules).toContain('an-open-device-needs-a-container');
  });

  test('a command line names the VM of a process; a reading without one says nothing', async () => {
    const [process] = legacy.processes ?? [];
    const commandLine = ['/usr/bin/kvm', '-id', '100', '-name', 'web,debug-threads=on'];
    const named = read({ ...legacy, processes: process ? [{ ...process, commandLine }] : [] });
    const ledger = await taken(named);
    expect(ledger.hostAt(ledger.head.position).process(4711)?.vm).toBe('web');
    const processes = named.processes.map(({ vm: _vm, ...rest }) => rest);
    const { appended } = await snapshot(ledger, { ...named, processes });
    expect(appended).toBe(1);
    expect(ledger.hostAt(ledger.head.position).process(4711)?.vm).toBe('web');
  });

  test('a VM whose BARs are mapped has bound its devices to its iommufd', async () => {
    const reading = read(modern);
    const ledger = await taken(reading);
    const owners = ['26', '41'].map((group) => ledger.who(group).owner);
    expect(owners[0]).toMatchObject({ kind: 'iommufd', certainty: 'inferred' });
    expect(owners[1]?.file).toBe(owners[0]?.file);
    expect(ledger.at('end').device('vfio2').state).toBe('bound');
    expect(heldBy(ledger).toSorted()).toEqual(heldIn(reading).toSorted());
  });
});

const withProcess = (
  process: NonNullable<CopiedHost['processes']>[number],
  more: Partial<CopiedHost> = {},
): CopiedHost => ({ devices: [gpu, nic, disk], processes: [process], ...more });
const factsOf = (ledger: Ledger, type: string) =>
  ledger.log().flatMap((event) => {
    const { evidence: _, ...data } = event.data;
    return event.type === type ? [data] : [];
  });

describe('what a reading leaves open', () => {
  test('a group file alone may be in a container: its opener is known, its owner is not', async () => {
    const ledger = await taken(read(withProcess({ pid: 300, descriptors: { 9: '/dev/vfio/26' } })));
    const group = ledger.at('end').group('26');
    expect(group.owner).toMatchObject({ kind: 'unknown' });
    expect(group.opener?.holders).toMatchObject([{ pid: 300, fd: 9 }]);
    expect(ledger.who('41').owner.kind).toBe('none');
    const reason = 'its file is open in qemu-system-x86[300], in a container or not';
    expect(factsOf(ledger, 'gap.noticed')).toEqual([{ reason, group: '26' }]);
  });

  test('a group file alone changes nothing where a kernel driver owns', async () => {
    const spare = { ...audio, driver: 'snd_hda_intel' };
    const process = { pid: 300, descriptors: { 9: '/dev/vfio/26' } };
    const ledger = await taken(read(withProcess(process, { devices: [gpu, spare] })));
    expect(ledger.who('26').owner.kind).toBe('kernel');
  });

  test('a cdev that is open and not mapped is bound or not', async () => {
    const descriptors = { 5: '/dev/iommu', 6: '/dev/vfio/devices/vfio2' };
    const ledger = await taken(read(withProcess({ pid: 300, descriptors })));
    expect(ledger.at('end').device('vfio2')).toMatchObject({
      state: 'unknown',
      owner: { kind: 'unknown' },
    });
    expect(ledger.who('41').owner.kind).toBe('none');
    const maps = [bar('7f0000000000-7f0000010000', '/dev/vfio/devices/vfio2')];
    await snapshot(ledger, read(withProcess({ pid: 300, descriptors, maps })));
    expect(ledger.who('26').owner).toMatchObject({ kind: 'iommufd', certainty: 'inferred' });
    expect(ledger.verify().faults).toEqual([]);
  });

  test('of two iommufds nobody can say which one has it', async () => {
    const descriptors = { 4: '/dev/iommu', 5: '/dev/iommu', 6: '/dev/vfio/devices/vfio2' };
    const maps = [bar('7f0000000000-7f0000010000', '/dev/vfio/devices/vfio2')];
    const ledger = await taken(read(withProcess({ pid: 300, descriptors, maps })));
    expect(factsOf(ledger, 'device.bound')).toEqual([{ pid: 300, fd: 6, iommufd: null, id: null }]);
    expect(ledger.who('26').owner.kind).toBe('unknown');
  });

  test('a device from a group that is in no container of the process', async () => {
    const descriptors = { 9: '/dev/vfio/26', 10: anonymous };
    const ledger = await taken(read(withProcess({ pid: 300, descriptors })));
    expect(factsOf(ledger, 'container.set')).toEqual([{ pid: 300, fd: 9, container: null }]);
    expect(ledger.who('26').owner.kind).toBe('unknown');
  });

  test('of two containers it is one: the group is owned by itself either way', async () => {
    const containers = { 7: '/dev/vfio/vfio', 8: '/dev/vfio/vfio' };
    const descriptors = { ...containers, 9: '/dev/vfio/26', 10: anonymous };
    const ledger = await taken(read(withProcess({ pid: 300, descriptors })));
    expect(factsOf(ledger, 'container.set')).toEqual([{ pid: 300, fd: 9, container: null }]);
    expect(ledger.who('26').owner).toMatchObject({ kind: 'container' });
  });

  test('an iommufd may stand in for the container', async () => {
    const descriptors = { 8: '/dev/iommu', 9: '/dev/vfio/26', 10: anonymous };
    const ledger = await taken(read(withProcess({ pid: 300, descriptors })));
    expect(ledger.who('26').owner).toMatchObject({ kind: 'iommufd', certainty: 'inferred' });
  });

  test('one device of two is got: which, nobody can say', async () => {
    const descriptors = { 8: '/dev/vfio/vfio', 9: '/dev/vfio/26', 10: anonymous };
    const host = withProcess({ pid: 300, descriptors }, { devices: [gpu, audio] });
    const ledger = await taken(read(host));
    expect(factsOf(ledger, 'device.obtained')).toMatchObject([{ device: null, as: 10 }]);
    expect(ledger.who('26').owner).toMatchObject({ kind: 'container' });
    expect(ledger.at('end').device('vfio2').state).toBe('unknown');
    expect((await snapshot(ledger, read(host))).changed).toEqual([]);
  });

  test('a device without a group file can be of any group that nobody has', async () => {
    const ledger = await taken(read(withProcess({ pid: 300, descriptors: { 10: anonymous } })));
    expect(ledger.who('26').owner.kind).toBe('unknown');
    expect(ledger.who('41').owner.kind).toBe('unknown');
    expect(factsOf(ledger, 'snapshot.taken')).toEqual([
      { complete: false, unseen: ['which device descriptor 10 of qemu-system-x86[300] is of'] },
    ]);
  });

  test('where there is one device only it is of that', async () => {
    const process = { pid: 300, descriptors: { 4: '/dev/vfio/vfio', 10: anonymous } };
    const ledger = await taken(read(withProcess(process, { devices: [gpu, disk] })));
    expect(ledger.who('26').owner).toMatchObject({ kind: 'container' });
    expect(ledger.who('26').owner.holders).toMatchObject([{ pid: 300, fd: 10 }]);
  });

  test('several devices of a group that was closed keep it open together', async () => {
    const descriptors = {
      4: '/dev/vfio/vfio',
      10: { ...anonymous, device: gpu.device },
      11: { ...anonymous, device: audio.device },
    };
    const host = withProcess({ pid: 300, descriptors }, { devices: [gpu, audio] });
    const ledger = await taken(read(host));
    const { owner } = ledger.who('26');
    expect(owner).toMatchObject({ kind: 'container', holders: [{ fd: 10 }, { fd: 11 }] });
    expect((await snapshot(ledger, read(host))).changed).toEqual([]);
  });

  test('a device that was passed on came from who has the group', async () => {
    const ledger = await taken(
      read({
        devices: [gpu, disk],
        processes: [
          { pid: 300, descriptors: { 8: '/dev/vfio/vfio', 9: '/dev/vfio/26' } },
          { pid: 400, descriptors: { 10: { ...anonymous, device: gpu.device } } },
        ],
      }),
    );
    expect(ledger.who(gpu.device).holders).toMatchObject([{ pid: 400, fd: 10 }]);
    expect(ledger.who('26').owner.holders.map(({ pid }) => pid)).toEqual([300, 400]);
  });

  test('a mapping holds what no descriptor stands for any more', async () => {
    const maps = [bar('7f0000000000-7f0000010000', '/dev/vfio/devices/vfio2')];
    const host = withProcess({ pid: 300, descriptors: { 5: '/dev/iommu' }, maps });
    const ledger = await taken(read(host));
    expect(ledger.who(gpu.device).holders).toMatchObject([{ pid: 300, via: 'mapping' }]);
    expect(ledger.who('26').owner).toMatchObject({ kind: 'iommufd' });
    await snapshot(ledger, read(withProcess({ pid: 300, descriptors: { 5: '/dev/iommu' } })));
    expect(ledger.who('26').owner).toMatchObject({ kind: 'none', certainty: 'inferred' });
  });

  test('what is mapped of which device is not said where it may be several', async () => {
    const descriptors = {
      8: '/dev/vfio/vfio',
      9: '/dev/vfio/26',
      10: anonymous,
      11: '/dev/vfio/41',
      12: anonymous,
    };
    const process = { pid: 300, descriptors, maps: [bar('7f0000000000-7f0000010000')] };
    const ledger = await openLedger(':memory:');
    const { unseen, complete } = await snapshot(ledger, read(withProcess(process)));
    expect(unseen).toEqual(['of which device 1 mappings of qemu-system-x86[300] are']);
    expect(complete).toBe(true);
    expect(factsOf(ledger, 'device.obtained')).toMatchObject([
      { fd: 9, device: gpu.device, as: 10 },
      { fd: 11, device: nic.device, as: 12 },
    ]);
    expect(ledger.verify().faults).toEqual([]);
  });

  test('devices of which /sys says nothing go by their nodes, their groups by theirs', async () => {
    const root = copiedHost(mkdtempSync(join(folder, 'bare-')), {
      devices: [gpu, nic],
      processes: [{ pid: 300, descriptors: { 5: '/dev/iommu', 6: '/dev/vfio/devices/vfio2' } }],
    });
    rmSync(join(root, 'sys'), { recursive: true });
    const bare = readHost(root);
    const ledger = await taken(bare);
    expect(ledger.at('end').device('vfio2')).toMatchObject({ group: null, state: 'open' });
    expect(ledger.who('26').owner.kind).toBe('unknown');
    expect((await snapshot(ledger, bare)).changed).toEqual([]);

    const host = { pid: 300, descriptors: { 5: '/dev/iommu', 6: '/dev/vfio/devices/vfio2' } };
    await snapshot(ledger, read(withProcess(host)));
    expect(ledger.at('end').device('vfio2')).toMatchObject({ device: gpu.device, group: '26' });
    expect(
      ledger
        .at('end')
        .table()
        .devices.map(({ device }) => device),
    ).not.toContain('vfio2');
    expect(ledger.who(gpu.device).holders).toMatchObject([{ pid: 300, fd: 6 }]);
    expect(ledger.verify().faults).toEqual([]);
  });
});

describe('what has changed since', () => {
  test('is all that is appended: a driver, and a VM that ended', async () => {
    const ledger = await taken(read(legacy));
    const before = ledger.length;
    const moved = { devices: [gpu, audio, kept, disk] };
    const report = await snapshot(ledger, read(moved));
    expect(typesOf(report.changed)).toEqual(['process.exited', 'driver.unbound', 'driver.bound']);
    expect(report).toMatchObject({ appended: 4, complete: true, unseen: [] });
    expect(report.changed[0]?.position).toBe(before);
    expect(ledger.who('26').owner).toMatchObject({ kind: 'none' });
    expect(ledger.who('41').owner).toMatchObject({ kind: 'kernel' });
    expect(ledger.diff(before - 1, 'end').changes.map(({ subject }) => subject)).toEqual([
      '26',
      '41',
    ]);
    expect(ledger.verify().faults).toEqual([]);
  });

  test('a process whose number was given out anew is another one', async () => {
    const descriptors = { 20: '/dev/vfio/vfio', 21: '/dev/vfio/26', 22: anonymous };
    const host = (startedAt: number) => read(withProcess({ pid: 4711, descriptors, startedAt }));
    const ledger = await taken(host(100));
    const { file } = ledger.who('26').owner;
    const { changed } = await snapshot(ledger, host(200));
    expect(typesOf(changed).slice(0, 2)).toEqual(['process.exited', 'process.found']);
    expect(changed[0]?.data.evidence?.rule).toBe('pid-used-again');
    expect(ledger.who('26').owner.file).not.toBe(file);
    expect(ledger.verify().faults).toEqual([]);
  });

  test('another boot is a fresh host', async () => {
    const ledger = await taken(read(legacy));
    const { changed } = await snapshot(ledger, read({ ...modern, boot: 'another' }));
    expect(changed[0]).toMatchObject({ type: 'host.booted', data: { boot: 'another' } });
    expect(ledger.who('26').owner).toMatchObject({ kind: 'iommufd' });
    expect(ledger.verify().faults).toEqual([]);
  });

  test('a file that two processes have by a fork is one', async () => {
    const descriptors = { 20: '/dev/vfio/vfio', 21: '/dev/vfio/26', 22: anonymous };
    const both = [4711, 4712].map((pid) => ({ pid, descriptors, cgroup: vm }));
    const same: Compare = (pairs) => pairs.map(([a, b]) => (a.fd === b.fd ? 'same' : 'different'));
    const reading = read({ devices: [gpu], processes: both }, same);
    const ledger = await taken(reading);
    expect(ledger.at('end').table().files).toHaveLength(3);
    expect(heldBy(ledger).toSorted()).toEqual(heldIn(reading).toSorted());
    await snapshot(ledger, read({ devices: [gpu], processes: both.slice(1) }, same));
    expect(ledger.who('26').owner).toMatchObject({ kind: 'container' });
    expect(ledger.who('26').holders.map(({ pid }) => pid)).toEqual([4712, 4712]);
  });

  test('a descriptor is flagged where exec would do otherwise with it', async () => {
    const host = (cloexec: boolean) =>
      read(withProcess({ pid: 300, descriptors: { 9: { path: '/dev/vfio/26', cloexec } } }));
    const ledger = await taken(host(false));
    const { changed } = await snapshot(ledger, host(true));
    expect(typesOf(changed)).toEqual(['descriptor.flagged']);
  });

  test('a device in another group has left and come, and a name stays', async () => {
    const ledger = await taken(read({ devices: [gpu, disk] }));
    const { changed } = await snapshot(ledger, read({ devices: [{ ...gpu, group: '30' }, disk] }));
    expect(typesOf(changed)).toEqual(['device.removed', 'device.added']);
    expect(ledger.at('end').device(gpu.device).group).toBe('30');
  });

  test('an unbind that waited is over with the last file', async () => {
    const text = '[   10.000000] vfio-pci 0000:3b:00.0: Relaying device request to user (#0)\n';
    const ledger = await taken(read(legacy));
    await ledger.import(text, { format: 'dmesg', booted: '2026-07-01T12:30:00Z' });
    expect(ledger.at('end').device(gpu.device).state).toBe('leaving');
    clock += 3600;
    const { changed } = await snapshot(ledger, read({ devices: [shown, audio, nic, disk] }));
    expect(typesOf(changed)).toEqual(['process.exited', 'driver.bound', 'driver.settled']);
    expect(ledger.verify().faults).toEqual([]);
    expect(ledger.who('26').owner.kind).toBe('kernel');
  });

  test('the same reading at the same time is the same evidence', async () => {
    const ledger = await openLedger(':memory:');
    const at = { time: time() };
    const reading = read(legacy);
    const { appended } = await ledger.snapshot(reading, at);
    expect(appended).toBeGreaterThan(5);
    expect(await ledger.snapshot(reading, at)).toMatchObject({ appended: 0, changed: [] });
  });

  test('one that is older than the log is refused, and one of a simulation too', async () => {
    const ledger = await taken(read(legacy));
    const early = ledger.snapshot(read(legacy), { time: '2020-01-01T00:00:00Z' });
    await expect(early).rejects.toThrow(/before the last event/);
    const played = await openLedger(':memory:');
    const device = { name: 'gpu', bdf: gpu.device, group: 26, driver: 'vfio-pci', cdev: 'vfio0' };
    const topology = { kernel: '6.12.1', iommufd: true, devices: [device] };
    await played.simulate('open_group G gpu', { topology });
    await expect(snapshot(played, read(legacy))).rejects.toThrow(/has a simulation/);
  });

  test('two who read at once append one after the other', async () => {
    const path = join(folder, 'both.ledger');
    const one = await openLedger(path);
    const other = await openLedger(path);
    const reading = read(legacy);
    await snapshot(one, reading);
    const second = await snapshot(other, reading);
    expect(second).toMatchObject({ appended: 1, changed: [] });
    expect(other.verify().faults).toEqual([]);
    await Promise.all([one.close(), other.close()]);
  });
});

describe('somebody who may not see everything', () => {
  const hide = (reading: HostReading, ...hidden: number[]): HostReading => ({
    ...reading,
    isComplete: false,
    unseen: ['descriptors of 1 process (permission denied)'],
    processes: reading.processes.filter(({ pid }) => !hidden.includes(pid)),
    listed: { ...reading.listed, hidden },
  });

  test('does not say that a group is free', async () => {
    const ledger = await taken(hide(read(legacy), 4711));
    expect(ledger.who('26').owner.kind).toBe('unknown');
    expect(ledger.who('41').owner.kind).toBe('unknown');
    expect(ledger.who('7').owner.kind).toBe('kernel');
    await snapshot(ledger, read({ devices: legacy.devices ?? [] }));
    expect(ledger.who('26').owner).toEqual({ kind: 'none', file: null, holders: [] });
    expect(ledger.verify().faults).toEqual([]);
  });

  test('leaves what was known as it was', async () => {
    const ledger = await taken(read(legacy));
    const { changed } = await snapshot(ledger, hide(read(legacy), 4711));
    expect(changed).toEqual([]);
    expect(ledger.who('26').owner.kind).toBe('container');
    expect(ledger.who('41').owner.kind).toBe('none');
  });

  test('who sees a holder gone does not know whether another has come', async () => {
    const ledger = await taken(read(legacy));
    const none = read({ devices: legacy.devices ?? [], processes: [{ pid: 9 }] });
    const { changed } = await snapshot(ledger, hide(none, 9));
    expect(typesOf(changed)).toEqual(['process.exited', 'gap.noticed']);
    expect(ledger.who('26').owner.kind).toBe('unknown');
    expect(ledger.who('41').owner.kind).toBe('none');
  });

  test('ends no process that /proc may not list', async () => {
    const ledger = await taken(read(legacy));
    const none = read({ devices: legacy.devices ?? [] });
    const within = { ...hide(none), listed: { ...none.listed, isWhole: false } };
    expect((await snapshot(ledger, within)).changed).toEqual([]);
  });
});

test('a host whose kernel nobody knows is judged by the newest rules', async () => {
  const ledger = await taken(read({ ...modern, kernel: '4.18.0-553.el8' }));
  expect(ledger.log()[0]).toMatchObject({
    type: 'host.booted',
    data: { profile: 'linux-7.3', evidence: { certainty: 'assumed' } },
  });
  const old = await taken(read({ ...legacy, kernel: '6.1.0-44-amd64', iommufd: false }));
  expect(old.log()[0]).toMatchObject({ data: { profile: null } });
  expect(old.who('26').owner.kind).toBe('container');
});

describe('any host', () => {
  test('is in the log as it was read, and read again it adds nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyHost, { minLength: 1, maxLength: 3 }), async (hosts) => {
        const ledger = await openLedger(':memory:');
        for (const { host, compare } of hosts) {
          const reading = read(host, compare);
          const { unseen, complete } = await snapshot(ledger, reading);
          expect({ unseen, complete }).toEqual({ unseen: [], complete: true });
          expect(ledger.verify().faults).toEqual([]);
          expect(heldBy(ledger).toSorted()).toEqual(heldIn(reading).toSorted());
          expect((await snapshot(ledger, reading)).appended).toBe(1);
        }
      }),
      { numRuns: countOf('hosts read', { test: 3, soak: 40, full: 400 }) },
    );
  });
});
