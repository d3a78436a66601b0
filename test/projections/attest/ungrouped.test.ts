import { expect, test } from 'vitest';
import type { LedgerEvent, Fact } from '../../../events/vocabulary.ts';
import { openLedger } from '../../../ledger.ts';

const NIC = '0000:17:00.0';

/** A device in no known group, in the boot of a recorded host. */
const log: readonly Fact[] = [
  {
    type: 'host.booted',
    data: { boot: 'b', kernel: '6.12.0', profile: null, iommufd: true, simulated: false },
  },
  { type: 'process.started', data: { pid: 7, comm: 'qemu', cgroup: null } },
  {
    type: 'device.added',
    data: { device: NIC, name: null, group: null, driver: 'nvme', model: null, cdev: null },
  },
  { type: 'driver.unbound', data: { device: NIC, driver: 'nvme' } },
  { type: 'driver.bound', data: { device: NIC, driver: 'nvme', cdev: null } },
];

test('kernel drivers of a device whose group is not known are an instance against a sole owner', async () => {
  const ledger = await openLedger(':memory:');
  const events = log.map((fact, index) => ({ ...fact, id: `${index}`, time: null }));
  await ledger.append(-1, events as LedgerEvent[]);
  await ledger.refresh();
  const found = ledger.attest('sole-owner', NIC, 'pid:7');
  expect(found.verdict).toBe('refuted');
  expect(found.instances).toMatchObject([
    { subject: NIC, from: 2, to: 3, owner: 'kernel', holders: [] },
    { subject: NIC, from: 4, to: null, owner: 'kernel', holders: [] },
  ]);
});
