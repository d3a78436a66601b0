/**
 * The claims in force: which guests have which devices, by the records of managers such as libvirt.
 * A boot ends all of them.
 *
 * @module
 */
import type { EventType, Placed } from '../../events/vocabulary.ts';
import type { Claimant } from '../shapes.ts';

/** The types of events that begin or end claims. */
export const claimTypes: ReadonlySet<EventType> = new Set([
  'claim.granted',
  'claim.released',
  'host.booted',
]);

export class Claims {
  readonly #claims: Map<string, Claimant>;

  constructor(inForce: readonly Claimant[] = []) {
    this.#claims = new Map(inForce.map((claim) => [keyOf(claim), claim]));
  }

  /** The oldest first. */
  get inForce(): readonly Claimant[] {
    return [...this.#claims.values()];
  }

  /** Takes an event of any type. Returns the claims that it ends. */
  take({ type, data, position, time }: Placed): readonly Claimant[] {
    switch (type) {
      case 'claim.granted': {
        const { device, group, claimant, uuid, manager } = data;
        const of = { device, ...(group !== undefined && { group }) };
        const claim = { ...of, claimant, uuid, manager, since: position, sinceTime: time };
        // One that is granted again has been in force all along.
        if (!this.#claims.has(keyOf(claim))) this.#claims.set(keyOf(claim), claim);
        return [];
      }
      case 'claim.released': {
        const claim = this.#claims.get(keyOf(data));
        this.#claims.delete(keyOf(data));
        return claim === undefined ? [] : [claim];
      }
      case 'host.booted': {
        const ended = this.inForce;
        this.#claims.clear();
        return ended;
      }
      default:
        return [];
    }
  }
}

/** The UUID of a guest is its identity, if the manager names it. */
function keyOf({
  device,
  group,
  manager,
  uuid,
  claimant,
}: Pick<Claimant, 'device' | 'group' | 'manager' | 'uuid' | 'claimant'>): string {
  return JSON.stringify([device ?? group, manager, uuid ?? claimant]);
}
