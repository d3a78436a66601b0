/**
 * Every device of a log: the names and nodes that it ever had, and the groups that it was ever in.
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
  /** PCI addresses by name: the last device that had this name. */
  readonly names: Map<string, string>;
  /** PCI addresses by node (`vfio0`): the last device that had this node. */
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

  /** The groups that a device was ever in, the oldest first. */
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
