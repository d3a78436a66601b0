/**
 * The names that the devices of a log ever went by, and the groups that they ever sat in.
 *
 * @module
 */
import type { Placed } from '../../events/vocabulary.ts';

export interface SavedDevices {
  readonly names: readonly (readonly [string, string])[];
  readonly nodes: readonly (readonly [string, string])[];
  readonly groups: readonly (readonly [string, readonly string[]])[];
}

export class KnownDevices {
  /** PCI addresses by name and by node; the last that had it. */
  readonly names: Map<string, string>;
  readonly nodes: Map<string, string>;
  readonly #groups: Map<string, Set<string>>;

  constructor({ names = [], nodes = [], groups = [] }: Partial<SavedDevices> = {}) {
    this.names = new Map(names);
    this.nodes = new Map(nodes);
    this.#groups = new Map(groups.map(([device, of]) => [device, new Set(of)]));
  }

  take(event: Placed): void {
    if (event.type !== 'device.added' && event.type !== 'driver.bound') return;
    const { device, cdev } = event.data;
    if (cdev !== null) this.nodes.set(cdev, device);
    if (event.type !== 'device.added') return;
    const { name, group } = event.data;
    const groups = this.#groups.get(device) ?? new Set();
    this.#groups.set(device, groups);
    if (group !== null) groups.add(group);
    if (name !== null) this.names.set(name, device);
  }

  devices(): IterableIterator<string> {
    return this.#groups.keys();
  }

  /** The groups that a device ever sat in, the first first. */
  groupsOf(device: string): readonly string[] {
    return [...(this.#groups.get(device) ?? [])];
  }

  save(): SavedDevices {
    return {
      names: [...this.names],
      nodes: [...this.nodes],
      groups: [...this.#groups].map(([device, groups]) => [device, [...groups]]),
    };
  }
}
