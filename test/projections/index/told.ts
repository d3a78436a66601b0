/**
 * Subjects of which a log tells before they are on the host, or only by naming them.
 *
 * @module
 */
import type { HostAt } from '../../../machines/host-at.ts';
import { LiveHost } from '../../../machines/live-host.ts';
import { partiesOf, type Parties } from '../../../projections/parties.ts';
import type { Owner, Position } from '../../../projections/shapes.ts';
import type { Subject } from '../../../projections/subjects.ts';
import { nobody, unknownOwner } from '../../../projections/views.ts';
import type { Log } from '../../support/random-logs.ts';

/** The keys of an event by which it names a group or a device. */
interface Naming {
  readonly group?: string | null;
  readonly device?: string | null;
  readonly blocker?: { readonly kind: string; readonly id: string };
}

const naming: ReadonlySet<string> = new Set([
  'operation.refused',
  'claim.granted',
  'claim.refused',
  'claim.released',
]);

/**
 * Whether an event tells more of a group than its name. An open of a group that nothing has told of yet
 * is not of any group that the host has.
 */
function tellsMore({ type }: Log[number]): boolean {
  return !naming.has(type) && type !== 'group.opened';
}

/** What a log tells of subjects that are not on the host yet, looked up in all of its events. */
export class Told {
  readonly #log: Log;
  /** Position of the moment that is looked at. */
  position = -1;

  constructor(log: Log) {
    this.#log = log;
  }

  /** The parties of a subject before the first event. */
  atStart(subject: Subject): Parties {
    return new Told(this.#log).parties(new LiveHost(), subject);
  }

  /** The parties of a subject; one that may have been there unseen has an unknown owner. */
  parties(host: HostAt, subject: Subject): Parties {
    const parties = partiesOf(host, subject);
    const { kind, id } = subject;
    if (kind === 'group' && host.group(id) === undefined) {
      // A group that has gone is not there, though it was found.
      return this.#isFoundLater(id) ? { ...parties, owner: unknownOwner } : parties;
    }
    if (kind === 'device' && host.device(id) === undefined) {
      return { ...parties, owner: this.#ownerOfDevice(host, id) };
    }
    return parties;
  }

  /**
   * Since when a group has its owner, from that by comparing moments of the host, which does not have a
   * group before it is found: until then its owner was unknown.
   */
  since(host: HostAt, group: string, compared: Position): Position {
    const telling = this.#tells('group', group).find(tellsMore);
    const isFound = telling !== undefined && this.#finds(telling);
    const found = isFound && telling.position <= this.position ? telling.position : null;
    const { owner } = this.parties(host, { kind: 'group', id: group });
    if (owner.kind === 'unknown') return compared === found ? null : compared;
    return compared ?? found;
  }

  #isFoundLater(group: string): boolean {
    const tells = this.#tells('group', group);
    const telling = tells.find(tellsMore);
    if (telling !== undefined) {
      return this.#finds(telling) && this.position < telling.position;
    }
    const named = tells.find(({ type }) => naming.has(type));
    return named !== undefined && !this.#isRecorded(named.position);
  }

  #finds(telling: Log[number]): boolean {
    // A gap says that the group was there, as its own event does.
    if (telling.type === 'group.found' || telling.type === 'gap.noticed') return true;
    if (telling.type !== 'device.added') return false;
    const { evidence } = telling.data;
    if (evidence === undefined || evidence.certainty === 'assumed') return false;
    const boot = this.#bootOf(telling.position)?.data.evidence?.certainty;
    return evidence.rule !== undefined || boot !== 'observed';
  }

  #ownerOfDevice(host: HostAt, device: string): Owner {
    const tells = this.#tells('device', device);
    const [first] = tells;
    if (first === undefined) return nobody;
    const added = tells.find(({ type }) => type === 'device.added');
    if (added?.type !== 'device.added') {
      return this.#isRecorded(first.position) ? nobody : unknownOwner;
    }
    if (this.position >= added.position || added.data.evidence?.rule === undefined) return nobody;
    const { group } = added.data;
    if (group === null || (this.#bootOf(added.position)?.position ?? 0) > 0) return unknownOwner;
    return this.parties(host, { kind: 'group', id: group }).owner;
  }

  #tells(kind: 'group' | 'device', id: string): Log {
    return this.#log.filter(({ data }) => {
      const { [kind]: own, blocker } = data as Naming;
      return own === id || (blocker?.kind === kind && blocker.id === id);
    });
  }

  #isRecorded(position: number): boolean {
    const boot = this.#bootOf(position);
    return boot !== undefined && boot.data.evidence === undefined;
  }

  #bootOf(position: number) {
    return this.#log.findLast(
      (event) => event.type === 'host.booted' && event.position <= position,
    );
  }
}
