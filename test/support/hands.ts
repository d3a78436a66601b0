/**
 * Hands as they are compared with the holders of every position: what is held after each change.
 *
 * @module
 */
import type { HostAt } from '../../machines/host-at.ts';
import { partiesOf } from '../../projections/parties.ts';
import type { Hand, Interval, OwnerInterval } from '../../projections/interval-shapes.ts';
import type { Holder, Owner } from '../../projections/shapes.ts';
import type { Subject } from '../../projections/subjects.ts';

/** The holders from a position on, each as JSON, sorted: two alike are two mappings. */
export interface HeldFrom {
  readonly at: number;
  readonly held: readonly string[];
}

/** An interval with its hands as steps, without claims. */
export type SteppedInterval = OwnerInterval & { readonly hands: readonly HeldFrom[] };

export function stepped({ hands, claimants: _claims, ...interval }: Interval): SteppedInterval {
  return { ...interval, hands: stepsOf(hands, interval) };
}

/** Where what is held in an interval changes; nothing is held before the first step. */
export function stepsOf(
  hands: readonly Hand[],
  { from, to }: Pick<Interval, 'from' | 'to'>,
): HeldFrom[] {
  const ends = hands.flatMap((hand) => [hand.from, hand.to ?? Infinity]);
  const inside = ends.filter((at) => at >= (from ?? -1) && at < (to ?? Infinity));
  // A hand that is not clipped to the interval would be lost here.
  for (const hand of hands) {
    if (hand.from < (from ?? -1) || (hand.to ?? Infinity) > (to ?? Infinity)) {
      throw new Error(`a hand from ${hand.from} to ${hand.to} is not in ${from} to ${to}`);
    }
    if (hand.from >= (hand.to ?? Infinity)) throw new Error(`an empty hand at ${hand.from}`);
  }
  const steps = new Steps();
  for (const position of [...new Set(inside)].toSorted((a, b) => a - b)) {
    const there = hands.filter((hand) => hand.from <= position && position < (hand.to ?? Infinity));
    steps.look(position, there.map(holderOf));
  }
  return steps.all;
}

/** Collects what is held at one position after the other, where it is not the same as before. */
export class Steps {
  readonly all: HeldFrom[] = [];

  look(position: number, holders: readonly Holder[]): void {
    const held = holders.map((holder) => JSON.stringify(holderOf(holder))).toSorted();
    if (held.join() !== (this.all.at(-1)?.held ?? []).join()) this.all.push({ at: position, held });
  }
}

/** The holders that an interval with an owner is to show at a position. */
export function shownAt(host: HostAt, subject: Subject, owner: Owner): readonly Holder[] {
  if (owner.kind === 'none' || owner.kind === 'kernel') return [];
  if (owner.kind !== 'unknown' && owner.file !== null && host.file(owner.file) !== undefined) {
    return owner.holders;
  }
  const group = subject.kind === 'device' ? (host.device(subject.id)?.group ?? null) : null;
  const seen = group === null ? subject : ({ kind: 'group', id: group } as const);
  return partiesOf(host, seen).holders;
}

function holderOf({ pid, comm, cgroup, via, fd, file }: Holder): Holder {
  return { pid, comm, cgroup, via, fd, file };
}
