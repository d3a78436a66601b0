/**
 * Trials: play a subset of the events of a history, and see whether an expression begins to hold.
 *
 * @module
 */
import type { Placed } from '../../events/vocabulary.ts';
import type { GroupAt } from '../../machines/host-at.ts';
import { LiveHost } from '../../machines/live-host.ts';
import { FoundGroups } from '../found-groups.ts';
import { sinceOrFound } from '../owner-at.ts';
import type { Owner, Position } from '../shapes.ts';
import type { Timeline } from '../timeline.ts';
import { hostRows, type DeviceNames } from './host-rows.ts';
import type { RowKind } from './keys.ts';
import { MomentaryHost } from './seen-host.ts';
import type { TableRows, Where } from './where.ts';

/** A row: the address of a device, the number of a group, or the id of a file. */
export interface RowName {
  readonly kind: RowKind;
  readonly id: string;
}

/** An expression, and the event at which it first holds. */
export interface FirstMatch {
  readonly where: Where;
  readonly names: DeviceNames;
  readonly position: number;
  /** The rows for which it holds, and the files through which they are owned (`contextOf`). */
  readonly rows: readonly (RowName & { readonly context: string })[];
  /** The rows that it looked at right before. */
  readonly before: readonly RowName[];
}

/** The files through which a row is owned: the iommufd, or the group file and its container. */
export function contextOf(rows: TableRows, { kind, id }: RowName): string {
  const row = kind === 'file' ? undefined : rows[kind](id);
  const group = row?.group == null ? undefined : rows.group(row.group);
  if (group === undefined) return '';
  const { owner, container } = group;
  return `${owner.file} ${owner.kind === 'container' ? container?.file : ''}`;
}

/** Plays subsets of events, each on a new host. */
export class Trial {
  /** Number of events played so far. */
  played = 0;
  readonly #found: FirstMatch;
  readonly #unheard: string;

  constructor(timeline: Timeline, found: FirstMatch) {
    this.#found = found;
    this.#unheard = timeline.first === 0 ? 'none' : 'unknown';
  }

  /**
   * Whether the expression holds after the last of these events and not before. The last one must
   * be the event found, and the rows must be owned through the same files as in the history.
   */
  shows(events: readonly Placed[]): boolean {
    if (events.at(-1)?.position !== this.#found.position) return false;
    const host = new LoneHost(this.#unheard);
    for (const event of events) host.take(event);
    this.played += events.length;
    return this.#holds(host) && this.#isOwnedAlike(host) && !this.#holdsAmong(events.slice(0, -1));
  }

  #holdsAmong(events: readonly Placed[]): boolean {
    const host = new LoneHost(this.#unheard);
    return events.some((event, index) => {
      this.played++;
      host.take(event);
      return (index === 0 || event.type !== 'operation.refused') && this.#holds(host);
    });
  }

  #holds({ host, since }: LoneHost): boolean {
    const { where, names } = this.#found;
    return where.holds(hostRows(new MomentaryHost(host), since, names));
  }

  #isOwnedAlike({ host, since }: LoneHost): boolean {
    const { rows, names } = this.#found;
    const there = hostRows(new MomentaryHost(host), since, names);
    return rows.every((row) => contextOf(there, row) === row.context);
  }
}

/**
 * A new host that takes only the events of a trial, and remembers since when a group has its owner.
 */
class LoneHost {
  readonly host = new LiveHost();
  readonly #unheard: string;
  readonly #found = new FoundGroups();
  readonly #owners = new Map<string, { readonly owner: string; readonly since: Position }>();

  /** `unheard` is the owner of a group without any event so far: `none` or `unknown`. */
  constructor(unheard: string) {
    this.#unheard = unheard;
  }

  readonly since = (group: string): Position => {
    const { owner, since = null } = this.#owners.get(group) ?? {};
    const kind: Owner['kind'] = owner === 'unknown' ? owner : 'none';
    return sinceOrFound(this.#found.foundAt(group), since, kind);
  };

  take(event: Placed): void {
    this.#found.take(this.host, event);
    this.host.take(event);
    if (event.type === 'host.booted') {
      for (const group of this.#owners.keys()) this.#note(group, 'none', event.position);
      return;
    }
    for (const id of this.host.touched.groups) {
      const group = this.host.group(id);
      if (group !== undefined) this.#note(id, ownerIn(group), event.position);
    }
  }

  #note(group: string, owner: string, position: number): void {
    const before = this.#owners.get(group) ?? { owner: this.#unheard, since: null };
    const since = before.owner === owner ? before.since : position;
    this.#owners.set(group, { owner, since });
  }
}

function ownerIn({ state, owner, isUnknown }: GroupAt): string {
  if (isUnknown) return 'unknown';
  if (state === 'unowned') return 'none';
  return state === 'kernel' ? state : `${state} ${owner}`;
}
