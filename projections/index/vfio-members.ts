/**
 * The devices of a group that are bound to a VFIO driver, from one moment to the next.
 *
 * @module
 */
import { kindOfDriver } from '../../operations/driver.ts';
import type { Codes } from './codes.ts';
import { DEVICE } from './standing.ts';
import type { StandingView } from './view.ts';

export class VfioMembers {
  readonly #group: string;
  /** By address. */
  readonly #members = new Set<string>();
  /** By code of a device, whether it is a member. */
  #isMember: boolean[] = [];
  #drivers = new DriverCodes();

  constructor(group: string) {
    this.#group = group;
  }

  get count(): number {
    return this.#members.size;
  }

  /** Addresses, in alphabetical order. */
  sorted(): string[] {
    return [...this.#members].toSorted();
  }

  /** Goes to another moment. Returns the addresses of the devices that have become members. */
  moveTo({ rows: { standing, codes } }: StandingView): string[] {
    // Each segment has its own codes of texts.
    if (this.#drivers.texts !== codes.texts) this.#drivers = new DriverCodes(codes.texts);
    const { cells, width, count } = standing.devices;
    const group = (codes.groups.find(this.#group) ?? -1) + 1;
    const added: string[] = [];
    for (let code = 0, at = 0; code < Math.max(count, this.#isMember.length); code++, at += width) {
      const isIn = code < count && cells[at] !== 0 && cells[at + DEVICE.group] === group;
      const isMember = isIn && this.#drivers.isVfio(cells[at + DEVICE.driver]!);
      if (isMember === (this.#isMember[code] ?? false)) continue;
      this.#isMember[code] = isMember;
      const address = codes.devices.at(code);
      if (isMember) {
        this.#members.add(address);
        added.push(address);
      } else this.#members.delete(address);
    }
    return added.toSorted();
  }

  /** At a boot no device is there. */
  clear(): void {
    this.#members.clear();
    this.#isMember = [];
  }
}

/** Which drivers are VFIO's, by their codes. */
class DriverCodes {
  readonly texts: Codes['texts'] | null;
  readonly #isVfio: (boolean | undefined)[] = [];

  constructor(texts: Codes['texts'] | null = null) {
    this.texts = texts;
  }

  /** By the code + 1 of a driver; 0 is none. */
  isVfio(driver: number): boolean {
    if (driver === 0 || this.texts === null) return false;
    return (this.#isVfio[driver] ??= kindOfDriver(this.texts.at(driver - 1)) === 'vfio');
  }
}
