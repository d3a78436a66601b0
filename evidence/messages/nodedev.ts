/**
 * `virsh nodedev-dumpxml`: the driver of a device, and its IOMMU group with all devices in it.
 *
 * @module
 */
import type { ListedDevice } from '../sighting.ts';
import { driverOf, groupOf, type ListingReader } from './listed-device.ts';

const name = /^<name>(?<name>(?:pci|mdev)_\w{10,64})<\/name>$/;
const driver = /^(?:<driver>\s*)?<name>(?<driver>[\w-]{1,64})<\/name>(?:\s*<\/driver>)?$/;
const group = /^<iommuGroup number=['"](?<group>\d{1,7})['"](?<isEmpty>\/)?>/;
const address = new RegExp(
  String.raw`^<address domain=['"]0x(?<domain>[\da-f]{4,8})['"] bus=['"]0x(?<bus>[\da-f]{2})['"] ` +
    String.raw`slot=['"]0x(?<slot>[01][\da-f])['"] function=['"]0x(?<fn>[0-7])['"]\/>`,
);

export class NodedevReader implements ListingReader {
  readonly tool = 'virsh';
  #device: string | null = null;
  #group: string | null = null;
  #isInDriver = false;

  get isOpen(): boolean {
    return this.#device !== null;
  }

  command(): void {
    this.#device = null;
    this.#group = null;
    this.#isInDriver = false;
  }

  line(text: string): readonly ListedDevice[] {
    const named = name.exec(text)?.groups?.['name'];
    if (named !== undefined) {
      this.command();
      this.#device = named;
      return [];
    }
    const device = this.#device;
    if (device === null) return [];
    if (text.startsWith('</device>')) this.command();
    if (text.startsWith('<driver>')) this.#isInDriver = true;
    const bound = this.#isInDriver ? driver.exec(text)?.groups?.['driver'] : undefined;
    if (bound !== undefined || text.startsWith('</driver>')) this.#isInDriver = false;
    if (bound !== undefined) return [driverOf(device, bound)];
    return this.#ofGroup(device, text);
  }

  #ofGroup(device: string, text: string): readonly ListedDevice[] {
    const { group: number, isEmpty } = group.exec(text)?.groups ?? {};
    if (number !== undefined) {
      this.#group = isEmpty === undefined ? number : null;
      return [groupOf(device, number)];
    }
    if (text.startsWith('</iommuGroup>')) this.#group = null;
    const { domain, bus, slot, fn } = address.exec(text)?.groups ?? {};
    if (this.#group === null || domain === undefined) return [];
    return [groupOf(`${domain}:${bus}:${slot}.${fn}`, this.#group)];
  }
}
