/**
 * The devices that are claimed to be there, and which drivers the devices of each group have.
 *
 * @module
 */
import { kindOfDriver, type DriverKind } from '../../operations/driver.ts';
import { Multimap } from '../multimap.ts';
import type { ClaimedDevice } from './claimed.ts';

/** All questions and changes take as long in a group of many devices as in one of few. */
export class ClaimedDevices {
  readonly #all = new Map<string, ClaimedDevice>();
  readonly #ofGroup = new Multimap<string, ClaimedDevice>();
  /** By group, how many of its devices have a driver of a kind. */
  readonly #driven = new Map<string, Record<DriverKind, number>>();

  /** By address, in the order in which they came. */
  get all(): ReadonlyMap<string, ClaimedDevice> {
    return this.#all;
  }

  hasGroup(group: string): boolean {
    return this.#ofGroup.has(group);
  }

  /** The devices of a group, in the order of `all`. */
  ofGroup(group: string): ClaimedDevice[] {
    return this.#ofGroup.of(group);
  }

  /** How many devices of a group have a driver of a kind. */
  countOf(group: string, kind: DriverKind): number {
    return this.#driven.get(group)?.[kind] ?? 0;
  }

  /** The drivers of a kind in a group, one for each device: no search if there is none. */
  driversIn(group: string, kind: DriverKind): string[] {
    if (this.countOf(group, kind) === 0) return [];
    const drivers = this.ofGroup(group).flatMap(({ driver }) => driver ?? []);
    return drivers.filter((driver) => kindOfDriver(driver) === kind);
  }

  /** Adds a device, in the place of the one at its address. */
  add(address: string, device: ClaimedDevice): void {
    const there = this.#all.get(address);
    this.#all.set(address, device);
    this.#count(device, 1);
    if (there === undefined) return this.#ofGroup.add(device.group, device);
    this.#count(there, -1);
    this.#ofGroup.delete(there.group, there);
    const { group } = device;
    if (group === null) return;
    // In another group, it keeps its place among the devices.
    this.#ofGroup.replace(
      group,
      [...this.#all.values()].filter((other) => other.group === group),
    );
  }

  remove(address: string): void {
    const device = this.#all.get(address);
    if (device === undefined) return;
    this.#all.delete(address);
    this.#count(device, -1);
    this.#ofGroup.delete(device.group, device);
  }

  /** Gives a device a driver; null for none. */
  drive(device: ClaimedDevice, driver: string | null): void {
    this.#count(device, -1);
    device.driver = driver;
    this.#count(device, 1);
  }

  clear(): void {
    this.#all.clear();
    this.#ofGroup.clear();
    this.#driven.clear();
  }

  #count({ group, driver }: ClaimedDevice, more: 1 | -1): void {
    if (group === null || driver === null) return;
    const counts = this.#driven.get(group) ?? { vfio: 0, harmless: 0, kernel: 0 };
    this.#driven.set(group, counts);
    counts[kindOfDriver(driver)] += more;
  }
}
