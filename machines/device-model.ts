/**
 * What each model of device can do: its regions, and how it can be reset.
 *
 * Recorded from real kernels with QEMU's models of these devices. A model that is not listed has a
 * mappable region 0 and no reset of its own.
 *
 * @module
 */
import type { DevicePort } from '../events/vocabulary.ts';
import { kindOfDriver } from '../operations/driver.ts';
import type { Device, Group } from './instances.ts';

interface Model {
  /** Regions of memory, which can be mapped, and of I/O ports, which can only be read. */
  readonly memory: readonly number[];
  readonly ports: readonly number[];
  /** Has a function level reset. */
  readonly flr: boolean;
  /** Has a link of its own. */
  readonly express: boolean;
  /** The kernel driver that supports it; null if none does. */
  readonly driver: string | null;
}

const plain: Model = { memory: [0], ports: [], flr: false, express: false, driver: null };
const express: Model = { ...plain, flr: true, express: true };
const nic: Model = { ...express, memory: [0, 1, 3], ports: [2] };
const models: Readonly<Record<string, Model>> = {
  edu: plain,
  'pci-testdev': { ...plain, ports: [1] },
  e1000: { ...plain, ports: [1], driver: 'e1000' },
  e1000e: { ...nic, driver: 'e1000e' },
  igb: { ...nic, driver: 'igb' },
  nvme: { ...express, driver: 'nvme' },
};

/** Whether the driver's probe would accept the device; false only where it is known to fail. */
export function driverFits(device: Device, driver: string): boolean {
  if (kindOfDriver(driver) !== 'kernel') return true;
  const model = knownModel(device.model);
  return model === undefined || model.driver === driver;
}

/** VFIO_PCI_CONFIG_REGION_INDEX. Only VGA has a higher index, and none of these models has VGA. */
const CONFIG_REGION = 7;

function knownModel(name: string | null): Model | undefined {
  return models[name ?? ''];
}

function modelOf(device: Device): Model {
  return knownModel(device.model) ?? plain;
}

/**
 * What a device of a model sits behind if its topology does not say: as in the recordings that say
 * nothing of it.
 */
export function usualPort(model: string | null): DevicePort {
  return knownModel(model)?.express === true ? 'root' : 'bridge';
}

export function isMappable(device: Device, region: number): boolean {
  return modelOf(device).memory.includes(region);
}

export function isReadable(device: Device, region: number): boolean {
  const { memory, ports } = modelOf(device);
  return region === CONFIG_REGION || memory.includes(region) || ports.includes(region);
}

/** Whether VFIO_DEVICE_GET_REGION_INFO answers for a region; one that is absent has size 0. */
export function hasRegionInfo(region: number): boolean {
  return region >= 0 && region <= CONFIG_REGION;
}

function busOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}

/** Devices on the same bus, sorted by address. A bus lies within one group or is the root bus. */
export function busOfDevice(device: Device): Device[] {
  const group: Group | null = device.group;
  const bus = busOf(device.device);
  return [...(group?.devices.values() ?? [])]
    .filter((other) => busOf(other.device) === bus)
    .toSorted((a, b) => (a.device < b.device ? -1 : 1));
}

/** PCI bus 0 has neither a bus nor a slot to reset (pci/pci.c:pci_probe_reset_bus). */
export function hasBusReset(device: Device): boolean {
  return !busOf(device.device).endsWith(':00');
}

/**
 * Whether the bus reset of a device succeeds, if its bus can be reset. Behind a root port the kernel
 * waits for the link of the device, which QEMU does not bring up again; behind the downstream port of
 * QEMU's switch, which is slower, it does not wait (pci/pci.c:pci_bridge_wait_for_secondary_bus).
 */
export function busResetWorks(device: Device): boolean {
  return device.port !== 'root' || !modelOf(device).express;
}

/** Whether the device can be reset alone, now that all of its neighbours are enumerated. */
export function canReset(device: Device): boolean {
  return modelOf(device).flr || (hasBusReset(device) && busOfDevice(device).length === 1);
}

/**
 * Whether opening the device tries a reset, and so needs the device lock. The kernel looks for a
 * bus reset when it enumerates a device; only the first one on a bus is alone there at that moment
 * (pci/pci.c:pci_init_reset_methods).
 */
export function triesReset(device: Device): boolean {
  return modelOf(device).flr || (hasBusReset(device) && busOfDevice(device)[0] === device);
}
