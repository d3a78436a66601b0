/**
 * Groups of which it is not known who had them, although all processes of the host were watched:
 * evidence of the group is missing, or its owner is unknown.
 *
 * @module
 */
import type { Placed } from '../../events/vocabulary.ts';
import type { LiveHost } from '../../machines/live-host.ts';

/** Half-open. */
export interface GroupDoubt {
  readonly group: string;
  readonly from: number;
  /** Null while it lasts. */
  readonly to: number | null;
  /** Position of the event that raised it. */
  readonly by: number;
  /** `gap`: evidence of the group is missing. `owner`: the owner of the group is unknown. */
  readonly cause: 'gap' | 'owner';
}

type OpenDoubt = { -readonly [K in keyof GroupDoubt]: GroupDoubt[K] };

export class GroupDoubts {
  readonly #all: OpenDoubt[];
  /** Those that last, by cause and group. */
  readonly #lasting: Map<string, OpenDoubt>;

  constructor(saved: readonly GroupDoubt[]) {
    this.#all = saved.map((doubt) => ({ ...doubt }));
    const lasting = this.#all.filter(({ to }) => to === null);
    this.#lasting = new Map(lasting.map((doubt) => [keyOf(doubt), doubt]));
  }

  /** In the order in which they were noticed. */
  get all(): readonly GroupDoubt[] {
    return this.#all;
  }

  save(): readonly GroupDoubt[] {
    return this.#all.map((doubt) => ({ ...doubt }));
  }

  /** Doubts every group of a host whose owner is unknown, from a position on. */
  begin(host: LiveHost, from: number, by: number): void {
    for (const { group, isUnknown } of host.groups()) {
      if (isUnknown) this.#doubt('owner', group, { from, by });
    }
  }

  /**
   * Notes which groups the last event of `host` has put in doubt, and which it has not; all
   * processes were watched since position `since`.
   */
  take(event: Placed, host: LiveHost, since: number): void {
    const { position: by } = event;
    for (const { group } of host.moved.groups) {
      if (host.group(group)?.isUnknown === true) this.#doubt('owner', group, { from: by, by });
      else this.#end('owner', group, by);
    }
    if (event.type === 'gap.noticed' && event.data.group !== null) {
      // What led to it was not seen.
      this.#doubt('gap', event.data.group, { from: Math.max(by - 1, since), by });
    }
  }

  /** After a complete reading of the host no evidence is missing. */
  endGaps(position: number): void {
    for (const { cause, group } of this.#lasting.values()) {
      if (cause === 'gap') this.#end(cause, group, position);
    }
  }

  endAll(position: number): void {
    for (const { cause, group } of this.#lasting.values()) this.#end(cause, group, position);
  }

  #doubt(
    cause: GroupDoubt['cause'],
    group: string,
    { from, by }: Pick<GroupDoubt, 'from' | 'by'>,
  ): void {
    const key = keyOf({ cause, group });
    if (this.#lasting.has(key)) return;
    const doubt = { group, from, to: null, by, cause };
    this.#lasting.set(key, doubt);
    this.#all.push(doubt);
  }

  #end(cause: GroupDoubt['cause'], group: string, position: number): void {
    if (this.#lasting.size === 0) return;
    const key = keyOf({ cause, group });
    const doubt = this.#lasting.get(key);
    if (doubt !== undefined) doubt.to = position;
    this.#lasting.delete(key);
  }
}

function keyOf({ cause, group }: Pick<GroupDoubt, 'cause' | 'group'>): string {
  return `${cause} ${group}`;
}
