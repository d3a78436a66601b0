/**
 * Devices of a host, each in a group of its own that an iommufd of a process of its own owns; and the
 * listing of such devices, imported.
 *
 * @module
 */
import { join } from 'node:path';
import { openLedger } from '../ledger.ts';
import { cpuSecondsOf } from './cpu-time.ts';
import type { Figure } from './figure.ts';
import { costsBySize, loadFigure } from './load.ts';
import { address, roundsOf, wideHost } from './wide-host.ts';

const SIZES = [1000, 4000, 20_000];
/** Events of a round. */
const ROUND = 7;

const owned = loadFigure({
  of: 'devices',
  sizes: SIZES,
  *facts(size) {
    yield* wideHost({ groups: size, devices: size, processes: size });
    yield* roundsOf(Math.ceil(size / ROUND), size);
  },
  questions: {
    table: (ledger) => ledger.at('end').table(),
    'who of a device': (ledger) => ledger.at('end').who(address(0)),
    'history of a device': (ledger) => ledger.history(address(0)),
    'history of all groups by a process': (ledger) => ledger.everOwned('pid:1000'),
    verify: (ledger) => ledger.verify(),
  },
});

const listed: Figure = (run) =>
  costsBySize(run, 'listed devices', SIZES, async (size) => {
    const path = join(run.folder, `listed-${size}-${Math.random()}.ledger`);
    const chunks = [[...listing(size)].join('')];
    const costs = new Map<string, number>();
    await using ledger = await openLedger(path);
    const spent = await cpuSecondsOf(() => ledger.importSources([{ name: 'listing', chunks }]));
    return costs.set('import of a listing', spent);
  });

/** The groups of devices as `find` lists them, then their drivers. */
function* listing(size: number): Generator<string> {
  for (let at = 0; at < size; at++) {
    yield `/sys/kernel/iommu_groups/${at + 1}/devices/${address(at)}\n`;
  }
  for (let at = 0; at < size; at++) {
    yield `${address(at)} '82599 Virtual Function 10ed' drv=vfio-pci unused=ixgbevf\n`;
  }
}

export const manyDevices: Figure = async (run) => [...(await owned(run)), ...(await listed(run))];
