/**
 * Runs the small driver as a model-based test: what it does, what happens to it, and other processes.
 *
 * @module
 */
import fc from 'fast-check';
import { hostCommands, hostRuns } from '../../arbitraries/fast-check.ts';
import type { VirtualHost } from '../../virtual-host/virtual-host.ts';
import { SmallDriver, type Fault } from './small-driver.ts';

interface Model {
  readonly host: VirtualHost;
}

/** The driver on its host; a crash replaces it by a new one. */
class Rig {
  readonly host: VirtualHost;
  readonly fault: Fault | null;
  driver: SmallDriver;

  constructor(host: VirtualHost, fault: Fault | null) {
    this.host = host;
    this.fault = fault;
    this.driver = this.started();
  }

  started(): SmallDriver {
    return new SmallDriver(this.host.process('driver'), this.fault);
  }

  device(index: number): string {
    const { devices } = this.host.topology;
    return devices[index % devices.length]?.name ?? 'none';
  }
}

/** What the driver and its children hold must be what the driver says that it has open. */
function checkFiles({ host, driver }: Rig): void {
  const { files } = host.ledger.at('end').table();
  const held = files.filter(({ holders }) =>
    holders.some(({ comm }) => comm === 'driver' || comm === 'helper'),
  );
  const expected = driver.opened === null ? 0 : 2;
  if (held.length !== expected) throw new Error(`${held.length} files are open, not ${expected}`);
}

class Step implements fc.Command<Model, Rig> {
  readonly #name: string;
  readonly #run: (rig: Rig) => void;

  constructor(name: string, run: (rig: Rig) => void) {
    this.#name = name;
    this.#run = run;
  }

  check(): boolean {
    return true;
  }

  run(_model: Model, rig: Rig): void {
    this.#run(rig);
    checkFiles(rig);
  }

  toString(): string {
    return this.#name;
  }
}

function unplug(rig: Rig, name: string): void {
  const { host, driver } = rig;
  const { live } = host.ledger;
  if (live.driverChange !== null) return;
  const isPending = host.setDriver(name, null) === 'pending';
  driver.unplugged(name);
  if (!isPending) return;
  const { files } = host.ledger.at('end').device(bdfOf(host, name));
  const isOthers = files.some(({ holders }) => holders.some(({ comm }) => comm !== 'driver'));
  if (isOthers) return;
  if (host.finishDriverChange() === 'pending') throw new Error(`${name} cannot be unplugged`);
}

const bdfOf = ({ topology }: VirtualHost, name: string): string =>
  topology.devices.find((device) => device.name === name)?.bdf ?? '';

function crash(rig: Rig): void {
  rig.driver.process.kill();
  rig.driver = rig.started();
}

const index = fc.nat({ max: 3 });
const constantly = (name: string, run: (rig: Rig) => void) => fc.constant(new Step(name, run));

/** What another process does, about as often as the driver does something. */
const others = hostCommands({
  devices: ['d0', 'd1', 'd2', 'd3'],
  processes: 1,
  only: ['open_cdev', 'open_iommufd', 'bind', 'close', 'exit'],
});

const steps: readonly fc.Arbitrary<fc.Command<Model, Rig>>[] = [
  index.map((at) => new Step(`open ${at}`, (rig) => void rig.driver.open(rig.device(at)))),
  constantly('bind', ({ driver }) => void driver.bind()),
  constantly('attach', ({ driver }) => driver.attach()),
  constantly('close', ({ driver }) => driver.close()),
  index.map((at) => new Step(`unplug ${at}`, (rig) => unplug(rig, rig.device(at)))),
  constantly('crash', crash),
  ...Array<typeof others>(5).fill(others),
];

/** The driver, with a fault or without, never has a file open that it does not know of. */
export function driverProperty(fault: Fault | null) {
  const profile = fc.constantFrom('linux-7.3', 'linux-6.12');
  return fc.property(hostRuns(steps, { profile, maxCommands: 40 }), ({ host, commands }) => {
    fc.modelRun(() => ({ model: { host }, real: new Rig(host, fault) }), commands);
  });
}
