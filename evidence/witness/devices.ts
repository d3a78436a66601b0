/**
 * `Devices`: the devices and groups that the evidence has mentioned so far.
 *
 * @module
 */
import type { DataOf, Fact } from '../../events/vocabulary.ts';
import { bootFacts, type Topology } from '../../scenario/topology.ts';
import type { Inference, Tell } from './inferences.ts';
import { groupNamed } from './nodes.ts';

type Added = DataOf<'device.added'>;

/** The driver assumed for a device of which only its VFIO node was seen. */
const USUAL_DRIVER = 'vfio-pci';
const isVfio = ({ driver }: Added): boolean => driver !== null && /vfio/.test(driver);

/** Tells of devices and groups as soon as the evidence mentions them. */
export class Devices {
  readonly #devices = new Map<string, Added>();
  readonly #byCdev = new Map<string, string>();
  /** By the node of a nameless device: the devices that it may be. */
  readonly #mayBe = new Map<string, readonly string[]>();
  /** Devices by the kernel address of their `struct device` (`claimed` of an ioctl). */
  readonly #byClaim = new Map<string, string>();
  readonly #groups = new Set<string>();
  /** Groups that were told as found: which of their devices has the VFIO driver is not known. */
  readonly #found = new Set<string>();
  readonly #leaving = new Set<string>();
  /** Devices that lost their node with their driver, and were not seen to get another one. */
  readonly #nodeless = new Set<string>();
  readonly #tell: Tell;
  #described: readonly Fact[] = [];
  #isBootSeen = false;

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** Notes the devices of a topology. */
  describe(topology: Topology): void {
    this.#described = bootFacts('', topology, { profile: null, simulated: false });
    for (const fact of this.#described) if (fact.type === 'device.added') this.#note(fact.data);
  }

  /** Tells of the devices of the topology, as assumed. */
  tellDescribed(): void {
    for (const fact of this.#described) {
      if (fact.type === 'device.added') this.#tell(fact, 'as-the-topology-says', 'assumed');
    }
  }

  /** Notes devices and groups that the log knows already. */
  know(devices: readonly Added[], groups: readonly string[]): void {
    for (const device of devices) this.#note(device);
    for (const group of groups) this.#groups.add(group);
  }

  /** Whether a device is known only by the name of its node (`vfio3`). */
  isNameless(device: string): boolean {
    return this.#devices.get(device)?.cdev === device;
  }

  /**
   * The device that the kernel knows as `claimed`. If the name is new, it is noted as that of `device`,
   * or of the only device that the nameless `device` may be. Null if it is unknown.
   */
  claimedAs(claimed: string | undefined, device: string | null): string | null {
    if (claimed === undefined) return null;
    const known = this.#byClaim.get(claimed);
    const isKnown = known !== undefined && this.#devices.has(known);
    if (isKnown && device !== null && this.isNameless(device)) return known;
    if (device !== null) this.#byClaim.set(claimed, device);
    const [only, ...others] = this.#candidatesFor(device ?? '');
    if (only === undefined || others.length > 0) return device;
    this.#byClaim.set(claimed, only);
    return only;
  }

  /** Gives a nameless device its address. A device with that address may be known already. */
  rename(node: string, device: string): void {
    const known = this.#devices.get(device);
    this.#devices.delete(node);
    this.#mayBe.delete(node);
    this.#tell({ type: 'device.removed', data: { device: node } }, 'named-by-the-trace');
    if (known?.driver === null) return this.#bindAgain(device, node, 'named-by-the-trace');
    const nothing = { name: null, group: null, model: null };
    const driver = known?.driver ?? USUAL_DRIVER;
    this.#add({ ...nothing, ...known, device, driver, cdev: node }, 'named-by-the-trace');
  }

  /** Adds a device that a message names, if it is unknown; its group if that is unknown. */
  mention(device: string, group: string | null, rule: Inference): void {
    const known = this.#devices.get(device);
    if (known !== undefined && (known.group !== null || group === null)) return;
    const nothing = { name: null, driver: null, model: null, cdev: null };
    if (group !== null) this.#speakOf(group);
    this.#add({ device, ...nothing, ...known, group }, rule);
  }

  /**
   * Notes a group that a message names. If it is new, its owner is unknown: the message does not show
   * who has it. Told before its device, it says that the group was there before.
   */
  #speakOf(group: string): void {
    if (this.#groups.has(group)) return;
    this.#groups.add(group);
    const reason = 'what was said of it does not show who has it';
    this.#tell({ type: 'gap.noticed', data: { reason, group } }, 'spoken-of');
  }

  get(device: string): Added | undefined {
    return this.#devices.get(device);
  }

  groupOf(device: string | null): string | null {
    return (device === null ? null : this.#devices.get(device)?.group) ?? null;
  }

  /** The device behind a node of /dev/vfio/devices. An unknown one is added by the node's name. */
  behindCdev(cdev: string): string {
    const known = this.#byCdev.get(cdev);
    if (known !== undefined) {
      // It has a node, so a VFIO driver was bound to it, unseen.
      if (this.#devices.get(known)?.driver === null) this.#bindAgain(known, cdev, 'has-a-node');
      return known;
    }
    const [only, ...others] = this.#nodeless;
    if (only !== undefined && others.length === 0) {
      const known = this.#devices.get(only);
      if (known?.driver === null) this.#bindAgain(only, cdev, 'had-the-node-before');
      else if (known !== undefined) this.#note({ ...known, cdev });
      return only;
    }
    const nothing = { name: null, group: null, model: null };
    this.#add({ device: cdev, ...nothing, driver: USUAL_DRIVER, cdev }, 'has-a-node');
    if (others.length > 0) this.#mayBe.set(cdev, [...this.#nodeless]);
    return cdev;
  }

  /** The groups that a nameless device may be in. */
  mayBeIn(node: string): ReadonlySet<string> {
    return new Set(this.#candidatesFor(node).flatMap((device) => this.groupOf(device) ?? []));
  }

  /** The devices that a nameless device may be: still without a node, and not claimed by the kernel. */
  #candidatesFor(node: string): string[] {
    const claimed = new Set(this.#byClaim.values());
    const may = this.#mayBe.get(node) ?? [];
    return may.filter((device) => this.#nodeless.has(device) && !claimed.has(device));
  }

  /** The device behind a node, or the node's name; adds nothing. */
  named(cdev: string): string {
    return this.#byCdev.get(cdev) ?? cdev;
  }

  /** Notes that a group, by its number, or a device has a node. */
  meetNode(kind: 'group' | 'cdev', name: string): void {
    if (kind === 'group') this.meetGroup(groupNamed(name));
    else this.behindCdev(name);
  }

  /** Notes that a group has a node: a VFIO driver has one of its devices. */
  meetGroup(group: string): void {
    const members = [...this.#devices.values()].filter(({ group: of }) => of === group);
    if (members.some(isVfio) || this.#found.has(group)) return;
    if (members.length === 0 && this.#groups.has(group)) return;
    this.#groups.add(group);
    const [only, ...others] = members.filter(({ driver }) => driver === null);
    if (only !== undefined && others.length === 0) {
      return this.#bindAgain(only.device, null, 'has-a-node');
    }
    this.#found.add(group);
    this.#tell({ type: 'group.found', data: { group } }, 'has-a-node');
  }

  /** Tells that a VFIO driver was bound to a device, unseen. */
  #bindAgain(device: string, cdev: string | null, rule: Inference): void {
    this.setDriver(device, USUAL_DRIVER);
    const known = this.#devices.get(device);
    if (known !== undefined && cdev !== null) this.#note({ ...known, cdev });
    this.#tell({ type: 'driver.bound', data: { device, driver: USUAL_DRIVER, cdev } }, rule);
  }

  /** Notes that a device has a VFIO driver, and its group if known. */
  meet(device: string, group: string | null, rule: Inference): void {
    const known = this.#devices.get(device);
    if (known !== undefined && (group === null || known.group === group)) {
      if (known.driver === null) this.#bindAgain(device, null, rule);
      return;
    }
    const fresh = { device, name: null, model: null, cdev: null, ...known };
    const driver = known?.driver ?? USUAL_DRIVER;
    this.#add({ ...fresh, driver, group: group ?? known?.group ?? null }, rule);
  }

  /** Notes the group and driver that the kernel reports for a device. Null: unchanged. */
  plug(device: string, group: string | null, driver: string | null): void {
    const known = this.#devices.get(device);
    const now = {
      device,
      name: null,
      model: null,
      cdev: null,
      ...known,
      group: group ?? known?.group ?? null,
      driver: driver ?? known?.driver ?? null,
    };
    if (known?.group === now.group && known.driver === now.driver) return;
    if (known !== undefined && known.group === now.group && now.driver !== null) {
      if (known.driver !== null) {
        this.#tell(
          { type: 'driver.unbound', data: { device, driver: known.driver } },
          'driver-in-the-message',
        );
      }
      this.#tell(
        { type: 'driver.bound', data: { device, driver: now.driver, cdev: null } },
        'driver-in-the-message',
      );
      this.#note(now);
      return;
    }
    // After a boot that was seen, a new group has come with its device: its owner is unknown from here on.
    if (this.#isBootSeen) this.#add(now);
    if (now.group !== null) this.#speakOf(now.group);
    if (!this.#isBootSeen) this.#add(now);
  }

  unplug(device: string): void {
    const known = this.#devices.get(device);
    if (known === undefined) return;
    this.#devices.delete(device);
    this.#found.delete(known.group ?? '');
    this.#nodeless.delete(device);
    if (known.cdev !== null) this.#byCdev.delete(known.cdev);
    this.#tell({ type: 'device.removed', data: { device } });
  }

  /** Notes that a driver was bound; null: unbound. */
  setDriver(device: string, driver: string | null): void {
    const known = this.#devices.get(device);
    if (known === undefined) return;
    if (driver === null) this.#found.delete(known.group ?? '');
    // Its node is gone: the next device that is bound may get the same number.
    if (driver === null && known.cdev !== null) {
      this.#byCdev.delete(known.cdev);
      this.#nodeless.add(device);
    }
    this.#note({ ...known, driver, cdev: driver === null ? null : known.cdev });
  }

  /** Notes the node of a device. Its driver is told separately. */
  setNode(device: string, cdev: string): void {
    const before = this.#devices.get(this.#byCdev.get(cdev) ?? '');
    if (before !== undefined && before.device !== device) this.#note({ ...before, cdev: null });
    const known = this.#devices.get(device);
    const nothing = { name: null, group: null, driver: null, model: null, cdev: null };
    if (known === undefined) this.#add({ device, ...nothing });
    this.#note({ ...(known ?? { device, ...nothing }), cdev });
  }

  /** The only device of a group with a VFIO driver; null if there are more, or none is known. */
  onlyDeviceIn(group: string): string | null {
    const [only, ...others] = [...this.#devices.values()].filter(
      (device) => device.group === group && isVfio(device),
    );
    return only === undefined || others.length > 0 ? null : only.device;
  }

  /** Whether an unbind of its driver is blocked. */
  isLeaving(device: string): boolean {
    return this.#leaving.has(device);
  }

  setLeaving(device: string, isLeaving: boolean): void {
    if (isLeaving) this.#leaving.add(device);
    else this.#leaving.delete(device);
  }

  /** Forgets all: the host has booted, and the evidence shows it. */
  clear(): void {
    this.#isBootSeen = true;
    this.#devices.clear();
    this.#byCdev.clear();
    this.#byClaim.clear();
    this.#mayBe.clear();
    this.#groups.clear();
    this.#found.clear();
    this.#leaving.clear();
    this.#nodeless.clear();
  }

  #add(added: Added, rule?: Inference): void {
    this.#note(added);
    this.#tell({ type: 'device.added', data: added }, rule);
  }

  #note(added: Added): void {
    this.#devices.set(added.device, added);
    if (added.cdev !== null) {
      this.#byCdev.set(added.cdev, added.device);
      this.#nodeless.delete(added.device);
    }
    if (added.group !== null && added.driver !== null) this.#groups.add(added.group);
  }
}
