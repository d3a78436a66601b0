/**
 * Where each group changed hands, from looking at the tables of one position after the other.
 *
 * @module
 */
import type { Change, Owner, RecordedEvent } from '../../ledger.ts';
import type { Untimed } from '../../projections/timed.ts';
import type { TableNow } from './brute-force.ts';
import { Steps, type SteppedInterval } from './hands.ts';

const NOBODY: Owner = { kind: 'none', file: null, holders: [] };

export class OwnershipTrail {
  readonly #events: readonly RecordedEvent[];
  /** By group, its owner in the last table. */
  readonly #owners = new Map<string, Owner>();
  /** By group, where that owner came. */
  readonly #since = new Map<string, number>();
  readonly #changes: Untimed<Change>[] = [];
  /** By group, what kept the owner of each of its intervals alive. */
  readonly #held = new Map<string, Steps[]>();

  constructor(events: readonly RecordedEvent[]) {
    this.#events = events;
  }

  get groups(): string[] {
    return [...this.#owners.keys()];
  }

  /** The table of the next position. A group that it does not have is nobody's. */
  take(table: TableNow, position: number): void {
    const owners = new Map(table.groups.map(({ group, owner }) => [group, owner]));
    for (const subject of new Set([...this.groups, ...owners.keys()])) {
      const before = this.#owners.get(subject) ?? NOBODY;
      const after = owners.get(subject) ?? NOBODY;
      this.#owners.set(subject, after);
      const held = this.#held.get(subject) ?? [new Steps()];
      this.#held.set(subject, held);
      const isSame = before.kind === after.kind && before.file === after.file;
      if (!isSame) held.push(new Steps());
      held.at(-1)?.look(position, after.holders);
      if (isSame) continue;
      this.#since.set(subject, position);
      this.#changes.push({ subject, before, after, position });
    }
  }

  /** Null where it has been nobody's all along. */
  since(group: string | null): number | null {
    return group === null ? null : (this.#since.get(group) ?? null);
  }

  history(group: string): SteppedInterval[] {
    const changes = this.#changes.filter(({ subject }) => subject === group);
    const starts = [{ position: null, after: NOBODY }, ...changes];
    return starts.map(({ position: from, after: owner }, index) => {
      const to = changes[index]?.position ?? null;
      const endedBy = to === null ? null : (this.#events[to]?.type ?? null);
      const hands = this.#held.get(group)?.[index]?.all ?? [];
      return { subject: group, from, to, owner, endedBy, hands };
    });
  }

  /** What changed hands after the first position, up to the second. */
  between(from: number, to: number): Untimed<Change>[] {
    return this.#changes.filter(({ position }) => position > from && position <= to);
  }
}
