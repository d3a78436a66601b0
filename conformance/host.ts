/**
 * The hosts that are emulated: which devices they have, where these sit, and whose they are.
 *
 * Where a device sits decides its IOMMU group: functions of one device without ACS share one, and so
 * does everything behind a conventional PCI bridge; what has a root port to itself is alone.
 *
 * @module
 */
import type { DevicePort } from '../events/vocabulary.ts';
import type { Topology } from '../scenario/topology.ts';

interface EmulatedDevice {
  readonly name: string;
  /** Its PCI address, which follows from where it sits and what else is there. */
  readonly address: string;
  /** The driver that it is put on; null for none. */
  readonly driver: string | null;
  /** QEMU's name of it. */
  readonly model: string;
  /** Where it sits, as QEMU's `-device` is told. */
  readonly place: string;
  /** What it sits behind; null for one on the root bus. */
  readonly port: DevicePort | null;
}

export interface EmulatedHost {
  readonly name: string;
  /** Ports and bridges: `-device` arguments, before those of the devices that sit on them. */
  readonly plumbing: readonly string[];
  /** VFIO numbers its nodes in this order. */
  readonly devices: readonly EmulatedDevice[];
}

/** A host that we do not have. */
class HostError extends Error {
  override readonly name = 'HostError';
}

/** What a model has to be told besides its place: no option ROMs, a serial number. */
const settings: Readonly<Record<string, string>> = {
  e1000: ',romfile=',
  e1000e: ',romfile=',
  igb: ',romfile=',
  nvme: ',serial=ledger',
};

/** Every kind of group with up to three members, alone and together with rivals. */
const standard: EmulatedHost = {
  name: 'standard',
  plumbing: [rootPort(1, '05.0'), rootPort(2, '06.0'), bridge(2), rootPort(3, '07.0'), bridge(3)],
  devices: [
    vfio('d0', '0000:00:02.0', 'edu', 'bus=pcie.0,addr=02.0'),
    vfio('d1', '0000:00:03.0', 'edu', 'bus=pcie.0,addr=03.0'),
    // Functions of one device.
    vfio('d2', '0000:00:04.0', 'edu', 'bus=pcie.0,addr=04.0,multifunction=on'),
    vfio('d3', '0000:00:04.1', 'edu', 'bus=pcie.0,addr=04.1'),
    // An endpoint with a root port to itself.
    vfio('d4', '0000:01:00.0', 'e1000e', 'bus=port1'),
    // Not viable: one of three belongs to a kernel driver.
    vfio('d5', '0000:03:01.0', 'edu', 'bus=bridge2,addr=01.0'),
    vfio('d6', '0000:03:02.0', 'edu', 'bus=bridge2,addr=02.0'),
    owned('s0', '0000:03:03.0', 'e1000', 'bus=bridge2,addr=03.0', 'e1000'),
    // Viable: one of three has no driver.
    vfio('d7', '0000:05:01.0', 'edu', 'bus=bridge3,addr=01.0'),
    vfio('d8', '0000:05:02.0', 'pci-testdev', 'bus=bridge3,addr=02.0'),
    owned('u0', '0000:05:03.0', 'e1000', 'bus=bridge3,addr=03.0', null),
    // Has a function level reset.
    vfio('d9', '0000:00:08.0', 'nvme', 'bus=pcie.0,addr=08.0'),
  ],
};

/** Other groupings: three functions, two kernel drivers beside one of VFIO's, three of VFIO's. */
const other: EmulatedHost = {
  name: 'other',
  plumbing: [
    rootPort(1, '03.0'),
    bridge(1),
    rootPort(2, '05.0'),
    rootPort(3, '06.0'),
    bridge(3),
    rootPort(4, '07.0'),
    bridge(4),
  ],
  devices: [
    vfio('d0', '0000:00:02.0', 'edu', 'bus=pcie.0,addr=02.0'),
    vfio('d2', '0000:00:04.0', 'edu', 'bus=pcie.0,addr=04.0,multifunction=on'),
    vfio('d3', '0000:00:04.1', 'edu', 'bus=pcie.0,addr=04.1'),
    vfio('d6', '0000:00:04.2', 'pci-testdev', 'bus=pcie.0,addr=04.2'),
    // Alone behind a bridge, which is in its group.
    vfio('d1', '0000:02:01.0', 'edu', 'bus=bridge1,addr=01.0'),
    vfio('d4', '0000:03:00.0', 'e1000e', 'bus=port2'),
    vfio('d5', '0000:05:01.0', 'edu', 'bus=bridge3,addr=01.0'),
    owned('s0', '0000:05:02.0', 'e1000', 'bus=bridge3,addr=02.0', 'e1000'),
    owned('s1', '0000:05:03.0', 'e1000', 'bus=bridge3,addr=03.0', 'e1000'),
    vfio('d7', '0000:07:01.0', 'edu', 'bus=bridge4,addr=01.0'),
    vfio('d8', '0000:07:02.0', 'pci-testdev', 'bus=bridge4,addr=02.0'),
    vfio('u0', '0000:07:03.0', 'e1000', 'bus=bridge4,addr=03.0'),
    vfio('d9', '0000:00:08.0', 'nvme', 'bus=pcie.0,addr=08.0'),
  ],
};

/** Express devices behind root ports and behind a switch, and conventional ones there. */
const ports: EmulatedHost = {
  name: 'ports',
  plumbing: [
    rootPort(1, '03.0'),
    rootPort(2, '04.0'),
    rootPort(3, '05.0'),
    rootPort(4, '06.0'),
    rootPort(5, '07.0'),
    'x3130-upstream,id=switch5,bus=port5',
    ...[1, 2, 3, 4].map(downstreamPort),
    rootPort(6, '08.0'),
    bridge(6),
  ],
  devices: [
    vfio('d0', '0000:00:02.0', 'edu', 'bus=pcie.0,addr=02.0'),
    vfio('d1', '0000:01:00.0', 'e1000e', 'bus=port1'),
    vfio('d2', '0000:02:00.0', 'nvme', 'bus=port2'),
    vfio('d3', '0000:03:00.0', 'igb', 'bus=port3'),
    vfio('d4', '0000:04:00.0', 'edu', 'bus=port4'),
    vfio('d5', '0000:07:00.0', 'e1000e', 'bus=down1'),
    vfio('d6', '0000:08:00.0', 'nvme', 'bus=down2'),
    vfio('d7', '0000:09:00.0', 'igb', 'bus=down3'),
    vfio('d8', '0000:0a:00.0', 'edu', 'bus=down4'),
    vfio('d9', '0000:0c:01.0', 'pci-testdev', 'bus=bridge6,addr=01.0'),
    owned('s0', '0000:0c:02.0', 'e1000', 'bus=bridge6,addr=02.0', 'e1000'),
  ],
};

function vfio(name: string, address: string, model: string, place: string): EmulatedDevice {
  return owned(name, address, model, place, 'vfio-pci');
}

function owned(
  name: string,
  address: string,
  model: string,
  place: string,
  driver: string | null,
): EmulatedDevice {
  return { name, address, driver, model, place, port: portIn(place) };
}

/** The kind of what a place hangs on, by the name that the functions below give it. */
function portIn(place: string): DevicePort | null {
  if (place.startsWith('bus=port')) return 'root';
  if (place.startsWith('bus=down')) return 'downstream';
  return place.startsWith('bus=bridge') ? 'bridge' : null;
}

function rootPort(number: number, address: string): string {
  const slot = `chassis=${number},slot=${number}`;
  return `pcie-root-port,id=port${number},bus=pcie.0,addr=${address},${slot}`;
}

/** A downstream port of the switch. */
function downstreamPort(number: number): string {
  return `xio3130-downstream,id=down${number},bus=switch5,chassis=${number + 16},slot=${number}`;
}

/** A conventional PCI bus behind the root port of that number. */
function bridge(number: number): string {
  return `pcie-pci-bridge,id=bridge${number},bus=port${number}`;
}

export const hosts: readonly EmulatedHost[] = [standard, other, ports];

/** The host of a name. Throws `HostError`. */
export function hostNamed(name: string): EmulatedHost {
  const found = hosts.find((host) => host.name === name);
  if (found !== undefined) return found;
  const known = hosts.map((host) => host.name).join(', ');
  throw new HostError(`no host '${name}'; known are ${known}`);
}

/** The host that has the devices of a topology. Throws `HostError`. */
export function hostWith({ devices }: Topology): EmulatedHost {
  const there = devices.map(({ name, bdf, model }) => `${name} ${bdf} ${model}`).join();
  const found = hosts.find((host) => {
    return there === host.devices.map((one) => `${one.name} ${one.address} ${one.model}`).join();
  });
  if (found !== undefined) return found;
  throw new HostError(`no host has these devices: ${there}`);
}

/** QEMU's arguments for all that a host has. */
export function deviceArguments({ plumbing, devices }: EmulatedHost): string[] {
  const own = devices.map(({ model, place }) => `${model},${place}${settings[model] ?? ''}`);
  return [...plumbing, ...own].flatMap((argument) => ['-device', argument]);
}

/** The devices as the guest's agent reads them: name, address, driver, model and port a line. */
export function deviceList({ devices }: EmulatedHost): string {
  const lines = devices.map(({ name, address, driver, model, port }) =>
    [name, address, driver ?? 'none', model, port ?? 'none'].join(' '),
  );
  return `${lines.join('\n')}\n`;
}
