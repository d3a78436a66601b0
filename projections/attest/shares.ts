/**
 * Whose hands are: which tenants have a share in the hold of a file.
 *
 * A descriptor or a mapping belongs to its process. A reference in the kernel, or a place in a queue,
 * belongs to every process that has held a descriptor of the file until then.
 *
 * @module
 */
import { positionOf } from '../../processes/process-table.ts';
import { coverageOf, type FoundCoverage } from '../coverage.ts';
import type { HandIn } from '../group-hands.ts';
import type { Timeline } from '../timeline.ts';
import { START } from '../when.ts';
import type { PastHolder, pastHoldersOf } from './past-holders.ts';
import { belongs, livedAt, type TenantMember, type Tenant } from './tenants.ts';

/** Whether a hand belongs to a tenant, and whether to another process; null if it is not known. */
interface Share {
  readonly isOwn: boolean | null;
  readonly isOthers: boolean | null;
}

/** A hand, and its share for each tenant that is asked about. */
export interface SharedHand extends HandIn {
  readonly shares: readonly Share[];
}

type PastHolders = ReturnType<typeof pastHoldersOf>;

/** Whether a hand is a descriptor or a mapping, not a reference in the kernel. */
export function isPlain({ holder: { via } }: HandIn): boolean {
  return via === 'fd' || via === 'mapping';
}

/**
 * The shares of tenants in the hands on a group, which are several where the virtual machine of a process
 * changes if that matters; the past holders of what the kernel refers to are given.
 */
export class Shares {
  readonly #tenants: readonly Tenant[];
  readonly #unknown: FoundCoverage['unknown'];
  readonly #past: PastHolders;

  constructor(timeline: Timeline, group: string, tenants: readonly Tenant[], past: PastHolders) {
    const subject = { kind: 'group', id: group } as const;
    this.#tenants = tenants;
    this.#past = past;
    this.#unknown = coverageOf(timeline, { subject, from: START, to: timeline.head }).unknown;
  }

  /** A hand with its shares; cut into several where a reference in the kernel gets another share. */
  of(hand: HandIn): SharedHand[] {
    const { holder, name } = hand;
    if (isPlain(hand)) {
      const vm = holder.pid === null ? null : (name?.vm ?? null);
      return [this.#shared(hand, [{ ...holder, vm }])];
    }
    const holders = this.#past.get(hand.of) ?? [];
    const seenUntil = this.#seenUntil(positionOf(hand.of));
    const cuts = [...holders.map(({ since }) => since), seenUntil].filter((cut) => {
      return cut > hand.from && cut < (hand.to ?? Infinity);
    });
    return cutAt(hand, cuts).map((part) => {
      const until = holders.filter(({ since }) => since <= part.from);
      return this.#shared(part, part.from < seenUntil ? until : [...until, null]);
    });
  }

  /** The share of some processes; null stands for others that were not seen. */
  #shared(hand: HandIn, members: readonly (TenantMember | null)[]): SharedHand {
    const shares = this.#tenants.map((tenant): Share => {
      const known = members.map((member) => (member === null ? null : isOf(member, tenant)));
      return { isOwn: anyIs(true, known), isOthers: anyIs(false, known) };
    });
    return { ...hand, shares };
  }

  /** The first position from `from` on at which not all processes were seen; Infinity if none. */
  #seenUntil(from: number): number {
    const next = this.#unknown.find(({ to }) => to === null || to > from);
    return next === undefined ? Infinity : Math.max(next.from ?? from, from);
  }
}

/** Whether a holder, now or in the past, belongs to a tenant; null if the evidence does not tell. */
function isOf(member: TenantMember & Partial<PastHolder>, tenant: Tenant): boolean | null {
  const { since } = member;
  // Another process had the pid before or after.
  if (since !== undefined && !livedAt(tenant, since)) return false;
  return belongs(member, tenant);
}

/** The parts of a hand between some of its positions. */
function cutAt(hand: HandIn, cuts: readonly number[]): HandIn[] {
  const starts = [hand.from, ...new Set(cuts.toSorted((a, b) => a - b))];
  return starts.map((from, index) => ({ ...hand, from, to: starts[index + 1] ?? hand.to }));
}

/** Whether any of several statements is as wanted; null if that is not known, or there are none. */
function anyIs(wanted: boolean, known: readonly (boolean | null)[]): boolean | null {
  if (known.includes(wanted)) return true;
  return known.length === 0 || known.includes(null) ? null : false;
}
