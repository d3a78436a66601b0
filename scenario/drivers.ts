/**
 * Derives the driver and the cdev node of each device from facts alone. Recordings are imported
 * with it, as no machine is asked for them.
 *
 * @module
 */
import type { Fact } from '../events/vocabulary.ts';
import { kindOfDriver } from '../operations/driver.ts';
import { isCollectedBy } from '../operations/table.ts';

interface Driven {
  readonly driver: string | null;
  readonly cdev: string | null;
}

/** The drivers and cdev nodes of devices, after the facts taken so far. */
export class Drivers {
  readonly #devices = new Map<string, Driven>();
  /** A driver change that waited and has not been collected. */
  #change: { readonly device: string; readonly next: string | null } | null = null;
  #hasCdevs = false;

  get change() {
    return this.#change;
  }

  driverOf(device: string): string | null {
    return this.#devices.get(device)?.driver ?? null;
  }

  deviceOfNode(node: string): string | null {
    return [...this.#devices].find(([, { cdev }]) => cdev === node)?.[0] ?? null;
  }

  /**
   * The cdev node that a device gets from a VFIO driver: the lowest free number. Null for other
   * drivers, and on a host without cdevs.
   */
  nextNode(driver: string): string | null {
    if (!this.#hasCdevs || kindOfDriver(driver) !== 'vfio') return null;
    const taken = new Set([...this.#devices.values()].map(({ cdev }) => cdev));
    let number = 0;
    while (taken.has(`vfio${number}`)) number++;
    return `vfio${number}`;
  }

  take({ type, data }: Fact): void {
    if (type === 'host.booted') {
      this.#devices.clear();
      this.#change = null;
      this.#hasCdevs = data.iommufd;
    }
    if (type === 'device.added' || type === 'driver.bound') {
      this.#devices.set(data.device, { driver: data.driver, cdev: data.cdev });
    }
    if (type === 'driver.unbound') this.#leave(data.device);
    if (type === 'driver.unbind-blocked') this.#change = { device: data.device, next: data.next };
    if (type === 'driver.settled') {
      const { device, driver } = data;
      this.#leave(device);
      const cdev = driver === null ? null : this.nextNode(driver);
      this.#devices.set(device, { driver, cdev });
      this.#change = null;
    }
    if (type === 'operation.refused' && isCollectedBy(data)) {
      if (this.#change !== null) this.#leave(this.#change.device);
      this.#change = null;
    }
  }

  #leave(device: string): void {
    this.#devices.set(device, { driver: null, cdev: null });
  }
}
