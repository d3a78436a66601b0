import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Fact, LedgerEvent, Placed } from '../../events/vocabulary.ts';
import { openLedger, type Ledger } from '../../ledger.ts';
import { incarnationsOf } from '../../projections/incarnations.ts';
import { Timeline } from '../../projections/timeline.ts';
import { boot, placed } from '../support/any-evidence.ts';
import { bruteIncarnationsOf } from '../support/brute-incarnations.ts';
import { anyLog } from '../support/random-logs.ts';

function plugged(device: string, group: string, driver: string | null): Fact {
  const data = { device, name: null, group, driver, model: null, cdev: null };
  return { type: 'device.added', data };
}

function booted(name: string): Fact {
  return { ...boot, data: { ...boot.data, boot: name } } as Fact;
}

async function ledgerOf(facts: readonly Fact[]): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.append(-1, placed(facts));
  await ledger.refresh();
  return ledger;
}

const [nic, gpu] = ['0000:3b:00.0', '0000:5e:00.0'];
const swapped: readonly Fact[] = [
  booted('monday'),
  plugged(nic, '151', 'vfio-pci'),
  { type: 'device.removed', data: { device: nic } },
  plugged(gpu, '151', 'vfio-pci'),
];

test('a path means another group once the devices behind it have gone', async () => {
  const ledger = await ledgerOf(swapped);
  expect(ledger.incarnations('/dev/vfio/151')).toEqual([
    { group: '151', from: 1, fromTime: null, to: 2, toTime: null, boot: 'monday', devices: [nic] },
    {
      group: '151',
      from: 3,
      fromTime: null,
      to: null,
      toTime: null,
      boot: 'monday',
      devices: [gpu],
    },
  ]);
});

test('and with every boot', async () => {
  const ledger = await ledgerOf([...swapped, booted('tuesday'), plugged(gpu, '151', 'vfio-pci')]);
  expect(ledger.incarnations('151').map(({ from, to, boot: of }) => [from, to, of])).toEqual([
    [1, 2, 'monday'],
    [3, 4, 'monday'],
    [5, null, 'tuesday'],
  ]);
});

test('a device that joins or leaves changes nothing while another stays', async () => {
  const ledger = await ledgerOf([
    booted('monday'),
    plugged(nic, '7', 'vfio-pci'),
    plugged(gpu, '7', 'vfio-pci'),
    { type: 'device.removed', data: { device: nic } },
  ]);
  expect(ledger.incarnations('7')).toEqual([
    {
      group: '7',
      from: 1,
      fromTime: null,
      to: null,
      toTime: null,
      boot: 'monday',
      devices: [nic, gpu],
    },
  ]);
});

test('a history says of which of them each interval is', async () => {
  const opened = { pid: 1, fd: 3, group: '151', cloexec: false };
  const ledger = await ledgerOf([
    ...swapped,
    { type: 'container.opened', data: { pid: 1, fd: 4, cloexec: false } },
    { type: 'group.opened', data: opened },
    { type: 'container.set', data: { pid: 1, fd: 3, container: 4 } },
  ]);
  const spans = ledger.history('151').map(({ from, incarnation }) => [from, incarnation]);
  expect(spans).toEqual([
    [null, undefined],
    [6, 2],
  ]);
});

test('who was given a device is no owner of it', async () => {
  const claim = { claimant: 'vm1', uuid: null, manager: 'libvirt', reason: 'start' };
  const ledger = await ledgerOf([
    booted('monday'),
    plugged(gpu, '7', 'vfio-pci'),
    { type: 'claim.granted', data: { device: gpu, ...claim } },
    { type: 'claim.granted', data: { device: gpu, ...claim, claimant: 'vm2' } },
    { type: 'claim.released', data: { device: gpu, ...claim } },
  ]);
  const names = (at: number) => ledger.claimants(gpu, { at }).map(({ claimant }) => claimant);
  expect([1, 2, 3, 4].map(names)).toEqual([[], ['vm1'], ['vm1', 'vm2'], ['vm2']]);
  expect(ledger.claimants('7').map(({ since }) => since)).toEqual([3]);
  expect(ledger.who(gpu)).toMatchObject({ owner: { kind: 'none' }, holders: [], waiters: [] });
});

test('a device without a driver takes no node away that was found before', async () => {
  const ledger = await ledgerOf([
    booted('monday'),
    { type: 'group.found', data: { group: '151' } },
    plugged(nic, '151', null),
    { type: 'driver.bound', data: { device: nic, driver: 'vfio-pci', cdev: null } },
  ]);
  expect(ledger.incarnations('151')).toMatchObject([{ from: 1, to: null, devices: [nic] }]);
});

test('agree with all devices of the host at each place', () => {
  fc.assert(
    fc.property(anyLog, (log) => {
      const timeline = new Timeline<Placed<LedgerEvent>>();
      for (const event of log) timeline.take(event);
      for (const group of timeline.groups()) {
        expect(incarnationsOf(timeline, group)).toEqual(bruteIncarnationsOf(timeline, group));
      }
    }),
    { numRuns: 50 },
  );
});
