/**
 * `ClaimBooks`: the books of managers: who was given which device, and who has it by what a manager says.
 *
 * @module
 */
import type { Deed, NamedClaimant } from '../sighting.ts';
import type { Devices } from './devices.ts';
import type { Tell } from './inferences.ts';

type ToldClaim = Extract<Deed, { did: 'claim' }>;

/** A claimant as it was told of, and the devices that it has. */
interface BookEntry extends NamedClaimant {
  readonly manager: string;
  readonly has: Set<string>;
}

export class ClaimBooks {
  readonly #devices: Devices;
  readonly #tell: Tell;
  /** By UUID; by manager and name. One without anything is removed. */
  readonly #entries = new Map<string, Set<BookEntry>>();

  constructor(devices: Devices, tell: Tell) {
    this.#devices = devices;
    this.#tell = tell;
  }

  take(claim: ToldClaim): void {
    const { outcome, device, claimant } = claim;
    if (device !== null) this.#devices.mention(device, null, 'named-in-a-claim');
    if (outcome === 'refused' || claimant === null) return this.#refused(claim);
    if (outcome === 'granted') this.#granted(claim, claimant);
    else this.#released(claim, claimant);
  }

  #refused({ device, group, claimant, manager, reason }: ToldClaim): void {
    const { name = null, uuid = null } = claimant ?? {};
    const data = { ...named(device, group), claimant: name, uuid, manager, reason };
    this.#tell({ type: 'claim.refused', data });
  }

  #granted(claim: ToldClaim, claimant: NamedClaimant): void {
    const { device, group, manager, reason, isStated = false } = claim;
    const same = this.#entriesOf(manager, claimant);
    if (isStated && device !== null) {
      if (same.some(({ has }) => has.has(device))) return;
      this.#takenFromOthers(device, manager);
    }
    const own = same.find(({ uuid }) => isStated || uuid === claimant.uuid);
    const entry = own ?? { ...claimant, manager, has: new Set() };
    if (device !== null) this.#note(entry, device);
    const { name, uuid } = entry;
    const data = { ...named(device, group), claimant: name, uuid, manager, reason };
    this.#tell({ type: 'claim.granted', data }, isStated ? 'named-as-the-claimant' : undefined);
  }

  /** In the book of a manager a device has one claimant: a new one says that the last has it no more. */
  #takenFromOthers(device: string, manager: string): void {
    const entries = new Set([...this.#entries.values()].flatMap((some) => [...some]));
    for (const entry of entries) {
      if (entry.manager !== manager || !entry.has.delete(device)) continue;
      const { name, uuid } = entry;
      const data = { device, claimant: name, uuid, manager, reason: null };
      this.#tell({ type: 'claim.released', data }, 'named-as-the-claimant');
      if (entry.has.size === 0) this.#forget(entry);
    }
  }

  #note(entry: BookEntry, device: string): void {
    entry.has.add(device);
    for (const key of keysOf(entry.manager, entry)) {
      this.#entries.set(key, (this.#entries.get(key) ?? new Set()).add(entry));
    }
  }

  /** Releases a device, or everything that the claimant has. */
  #released({ device, manager, reason }: ToldClaim, claimant: NamedClaimant): void {
    const same = this.#entriesOf(manager, claimant);
    const all = new Set(same.flatMap(({ has }) => [...has]));
    for (const each of device === null ? all : [device]) {
      const holders = same.filter(({ has }) => has.delete(each));
      for (const { name, uuid } of holders.length === 0 ? [claimant] : holders) {
        const data = { device: each, claimant: name, uuid, manager, reason };
        this.#tell({ type: 'claim.released', data });
      }
    }
    for (const entry of same) if (entry.has.size === 0) this.#forget(entry);
  }

  /** The entries that may be of a claimant: those with its UUID, or with its name and no other UUID. */
  #entriesOf(manager: string, claimant: NamedClaimant): BookEntry[] {
    const found = keysOf(manager, claimant).flatMap((key) => [...(this.#entries.get(key) ?? [])]);
    const { uuid } = claimant;
    return [...new Set(found)].filter(
      (entry) => uuid === null || entry.uuid === null || entry.uuid === uuid,
    );
  }

  #forget(entry: BookEntry): void {
    for (const key of keysOf(entry.manager, entry)) {
      const entries = this.#entries.get(key);
      entries?.delete(entry);
      if (entries?.size === 0) this.#entries.delete(key);
    }
  }
}

function keysOf(manager: string, { name, uuid }: NamedClaimant): string[] {
  return [...(uuid === null ? [] : [uuid]), `${manager} ${name}`];
}

function named(device: string | null, group: string | undefined) {
  return { device, ...(group !== undefined && { group }) };
}
