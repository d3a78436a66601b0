/**
 * A driver, tested on hosts on which other processes have done anything. Run it with
 * `npm test -- examples`. A program imports from 'vfio-ledger/fast-check' and 'vfio-ledger/virtual-host'.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hostCommands, hostRuns, hosts, type HostModel } from '../arbitraries/fast-check.ts';
import { SystemError, type VirtualProcess } from '../virtual-host/virtual-host.ts';

/** The driver under test: opens a device and binds it. False if it cannot have it. */
function openDevice(process: VirtualProcess, name: string): boolean {
  const iommufd = process.openIommufd();
  let device = null;
  try {
    device = process.openCdev(name);
    device.bind(iommufd);
    return true;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    // Without these two lines the test fails.
    device?.close();
    iommufd.close();
    return false;
  }
}

test('a driver that cannot have the device leaves nothing open', () => {
  const anyHost = hosts({ profile: 'linux-7.3' });
  fc.assert(
    fc.property(anyHost, (host) => {
      const driver = host.process('driver');
      const isOpen = openDevice(driver, 'd0');
      expect(driver.fds()).toHaveLength(isOpen ? 2 : 0);
    }),
  );
});

test('a driver that has crashed holds nothing, whatever others do meanwhile', () => {
  const open = fc.constantFrom('d0', 'd1').map((name) => ({
    check: ({ host }: HostModel) => host.topology.devices.some((device) => device.name === name),
    run: ({ host }: HostModel) => void openDevice(host.process('driver'), name),
    toString: () => `open ${name}`,
  }));
  const crash = fc.constant({
    check: () => true,
    run({ host }: HostModel) {
      host.process('driver').kill();
      const { files } = host.ledger.at('end').table();
      const holders = files.flatMap((file) => file.holders.map(({ comm }) => comm));
      expect(holders).not.toContain('driver');
    },
    toString: () => 'crash',
  });
  const others = hostCommands({ devices: ['d0', 'd1'], processes: 2 });
  fc.assert(
    fc.property(hostRuns([open, crash, others], { profile: 'linux-7.3' }), ({ host, commands }) => {
      fc.modelRun(() => ({ model: { host }, real: null }), commands);
    }),
  );
});
