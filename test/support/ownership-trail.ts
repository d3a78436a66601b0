/**
 * Where each group changed hands, from looking at the tables of one position after the other.
 *
 * @module
 */
import type { Change, Interval, Owner, Position, RecordedEvent } from '../../ledger.ts';
import type { TableNow } from './brute-force.ts';

const NOBODY: Owner = { kind: 'none', file: null, holders: [] };

export class OwnershipTrail {
  readonly #events: readonly RecordedEvent[];
  /** By group, its owner in the last table. */
  readonly #owners = new Map<string, Owner>();
  readonly #changes: Change[] = [];

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
      if (!sameOwner(before, after)) this.#changes.push({ subject, before, after, position });
    }
  }

  since(group: string | null): Position {
    return this.#changes.findLast(({ subject }) => subject === group)?.position ?? null;
  }

  history(group: string): Interval[] {
    const changes = this.between(-1, Infinity).filter(({ subject }) => subject === group);
    const starts = [{ position: null, after: NOBODY }, ...changes];
    return starts.map(({ position: from, after: owner }, index) => {
      const to = changes[index]?.position ?? null;
      const endedBy = to === null ? null : (this.#events[to]?.type ?? null);
      return { subject: group, from, to, owner, endedBy };
    });
  }

  /** What changed hands after the first position, up to the second. */
  between(from: number, to: number): Change[] {
    return this.#changes.filter(({ position }) => position > from && position <= to);
  }
}

function sameOwner(a: Owner, b: Owner): boolean {
  return a.kind === b.kind && a.file === b.file;
}
