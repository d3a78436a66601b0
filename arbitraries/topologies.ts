/**
 * Arbitraries of hosts before anything happens: topologies, and processes by name.
 *
 * @module
 */
import fc from 'fast-check';
import { integerIn } from './constraints.ts';
import type { ProcessName } from '../scenario/language.ts';
import type { Topology } from '../scenario/topology.ts';

/** Limits of drawn topologies. */
export interface TopologyConstraints {
  /** At most this many devices; 4 by default. */
  readonly maxDevices?: number | undefined;
  /** The kernel's release; 7.3.0 by default. */
  readonly kernel?: string | undefined;
}

/**
 * Topologies of PCI devices called `d0`, `d1` and so on, some in one group. Most are bound to vfio-pci.
 * They shrink to one device of vfio-pci. Throws `bad-request` for wrong constraints.
 */
export function topologies(constraints: TopologyConstraints = {}): fc.Arbitrary<Topology> {
  const { kernel = '7.3.0' } = constraints;
  const maxLength = integerIn('maxDevices', constraints.maxDevices ?? 4, 1, 32);
  const devices = fc.array(device, { minLength: 1, maxLength, size: 'max' });
  return devices.map((drawn) => topologyOf(drawn, kernel));
}

/** Processes of the scenario language: `P1` to `P3`, or up to `P8`. Throws `bad-request`. */
export function processes(count = 3): fc.Arbitrary<ProcessName> {
  const last = integerIn('the number of processes', count, 1, 8);
  const names = Array.from({ length: last }, (_, at): ProcessName => `P${at + 1}`);
  // The first ones more often, so that one process makes enough calls.
  return fc.constantFrom(...names.flatMap((name, at) => Array<ProcessName>(last - at).fill(name)));
}

interface DrawnDevice {
  /** Whether it is another function of the card before it. */
  readonly isSibling: boolean;
  readonly driver: string | null;
  readonly model: string | null;
}

const device: fc.Arbitrary<DrawnDevice> = fc.record({
  isSibling: fc.boolean(),
  driver: fc.oneof(
    { withCrossShrink: true },
    { weight: 10, arbitrary: fc.constant('vfio-pci') },
    { weight: 1, arbitrary: fc.constantFrom(null, 'e1000e') },
  ),
  model: fc.constantFrom(null, 'edu', 'nvme', 'e1000e'),
});

function topologyOf(drawn: readonly DrawnDevice[], kernel: string): Topology {
  let [card, part, nodes] = [0, 0, 0];
  const devices = drawn.map(({ isSibling, driver, model }, index) => {
    [card, part] = isSibling && part < 7 && index > 0 ? [card, part + 1] : [card + 1, 0];
    const bdf = `0000:${card.toString(16).padStart(2, '0')}:00.${part}`;
    const cdev = driver === 'vfio-pci' ? `vfio${nodes++}` : null;
    return { name: `d${index}`, bdf, group: String(card), driver, model, cdev };
  });
  return { kernel, iommufd: true, devices, groups: {} };
}
