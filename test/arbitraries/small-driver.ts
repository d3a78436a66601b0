/**
 * A small driver of VFIO devices, and the faults that can be put into it.
 *
 * @module
 */
import type { DeviceDescriptor, IommufdDescriptor } from '../../virtual-host/virtual-host.ts';
import { SystemError, type VirtualProcess } from '../../virtual-host/virtual-host.ts';

export const faults = [
  'keeps the files of a refused bind',
  'closes the iommufd and not the device',
  'attaches before it binds',
  'ignores an unplug',
  'lets a helper inherit the device',
] as const;
export type Fault = (typeof faults)[number];

/** Opens one device at a time, by cdev and iommufd. */
export class SmallDriver {
  readonly process: VirtualProcess;
  readonly #fault: Fault | null;
  #name: string | null = null;
  #device: DeviceDescriptor | null = null;
  #iommufd: IommufdDescriptor | null = null;
  #isBound = false;

  constructor(process: VirtualProcess, fault: Fault | null) {
    this.process = process;
    this.#fault = fault;
  }

  /** The device that it has open; null if none. */
  get opened(): string | null {
    return this.#name;
  }

  /** False if the device has no node. */
  open(name: string): boolean {
    if (this.#device !== null) this.close();
    try {
      this.#device = this.process.openCdev(name);
    } catch (error) {
      if (error instanceof SystemError && error.code === 'ENOENT') return false;
      throw error;
    }
    this.#iommufd = this.process.openIommufd();
    this.#name = name;
    if (this.#fault === 'lets a helper inherit the device') this.process.fork('helper');
    return true;
  }

  /** False if another process owns the device: then it is closed. */
  bind(): boolean {
    const [device, iommufd] = [this.#device, this.#iommufd];
    if (device === null || iommufd === null || this.#isBound) return false;
    if (this.#fault === 'attaches before it binds') device.attach(iommufd.allocIoas());
    try {
      device.bind(iommufd);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (this.#fault !== 'keeps the files of a refused bind') this.close();
      this.#forget();
      return false;
    }
    this.#isBound = true;
    return true;
  }

  attach(): void {
    const [device, iommufd] = [this.#device, this.#iommufd];
    if (device === null || iommufd === null || !this.#isBound) return;
    device.attach(iommufd.allocIoas());
  }

  close(): void {
    const [device, iommufd] = [this.#device, this.#iommufd];
    this.#forget();
    if (this.#fault !== 'closes the iommufd and not the device') device?.close();
    iommufd?.close();
  }

  /** To be called when a device is about to go. */
  unplugged(name: string): void {
    if (name === this.#name && this.#fault !== 'ignores an unplug') this.close();
  }

  #forget(): void {
    [this.#device, this.#iommufd, this.#name, this.#isBound] = [null, null, null, false];
  }
}
