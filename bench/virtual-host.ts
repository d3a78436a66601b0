/**
 * Calls on a virtual host through its typed methods, each an event of its ledger, no question asked.
 *
 * @module
 */
import { topologyFrom } from '../ledger/settings.ts';
import { virtualHost, type VirtualProcess } from '../virtual-host/virtual-host.ts';
import { contests } from './contest.ts';

/** Rounds on one host, and the calls of a round. */
const ROUNDS = 200;
const CALLS = 25;

const topology = topologyFrom(
  JSON.stringify({
    kernel: '7.3.4',
    iommufd: true,
    devices: Array.from({ length: 4 }, (_, at) => ({
      name: `d${at}`,
      bdf: `0000:0${at}:00.0`,
      group: at + 1,
      driver: 'vfio-pci',
      cdev: `vfio${at}`,
    })),
  }),
);

/** A driver takes a device through iommufd, and another is refused: 12 calls. */
function cdevRound(driver: VirtualProcess, other: VirtualProcess): void {
  const iommufd = driver.openIommufd();
  const device = driver.openCdev('d0');
  device.bind(iommufd);
  const ioas = iommufd.allocIoas();
  device.attach(ioas);
  iommufd.map(ioas, { iova: 0x10_0000, size: 4096 });
  mustRefuse(() => other.openGroup('d0'));
  device.info();
  device.detach();
  iommufd.destroy(ioas);
  device.close();
  iommufd.close();
}

/** The same through the group's file and a container: 13 calls. */
function groupRound(driver: VirtualProcess, other: VirtualProcess): void {
  const container = driver.openContainer();
  const group = driver.openGroup('d1');
  group.status();
  group.setContainer(container);
  container.setIommu();
  container.mapDma({ iova: 0x10_0000, size: 4096 });
  const device = group.getDevice('d1');
  mustRefuse(() => other.openGroup('d1'));
  device.regionInfo(0);
  device.close();
  group.unsetContainer();
  group.close();
  container.close();
}

function mustRefuse(call: () => unknown): void {
  try {
    call();
  } catch {
    return;
  }
  throw new Error('a call that had to be refused has passed');
}

function play(): void {
  const host = virtualHost({ profile: 'linux-7.3', topology });
  const [driver, other] = [host.process('driver'), host.process('other')];
  for (let round = 0; round < ROUNDS; round++) {
    cdevRound(driver, other);
    groupRound(driver, other);
  }
}

const contest = {
  name: 'calls on a virtual host on one core',
  beside: 100_000,
  target: 1,
  size: ROUNDS * CALLS,

  start: async () => ({ turn: () => ({ ours: play }), end: async () => {} }),
};

export const virtualHostCalls = contests([contest]);
