/**
 * Whose hands are: which tenants have a share in the hold of a file.
 *
 * A descriptor or a mapping belongs to its process. A reference in the kernel, or a place in a queue,
 * belongs to every process that has held a descriptor of the file until then.
 *
 * @module
 */
import { positionOf, type FileId } from '../../processes/process-table.ts';
import { follow } from '../follow.ts';
import type { HandIn } from '../hands.ts';
import { holderOf } from '../index/hold-at.ts';
import type { Timeline } from '../timeline.ts';
import { holderShown } from '../views.ts';
import { belongs, type Member, type Tenant } from './tenants.ts';

/** Whether a hand belongs to a tenant, and whether to another process; null if it is not known. */
interface Share {
  readonly isOwn: boolean | null;
  readonly isOthers: boolean | null;
}

/** A hand, and its share for each tenant that is asked about. */
export interface SharedHand extends HandIn {
  readonly shares: readonly Share[];
}

/** A process, and the position from which it has held a descriptor of a file at some time. */
interface PastHolder extends Member {
  readonly since: number;
}

export class Shares {
  readonly #timeline: Timeline;
  readonly #tenants: readonly Tenant[];
  /** Whether all processes were seen at all positions from one up to another, both included. */
  readonly #isSeen: (from: number, to: number) => boolean;
  readonly #past = new Map<FileId, readonly PastHolder[]>();

  constructor(
    timeline: Timeline,
    tenants: readonly Tenant[],
    isSeen: (from: number, to: number) => boolean,
  ) {
    this.#timeline = timeline;
    this.#tenants = tenants;
    this.#isSeen = isSeen;
  }

  /** A hand with its shares; cut into several where a reference in the kernel gets another share. */
  of(hand: HandIn): SharedHand[] {
    const { holder } = hand;
    if (holder.via === 'fd' || holder.via === 'mapping') return [this.#shared(hand, [holder])];
    const end = hand.to ?? Infinity;
    const past = this.#pastOf(hand.of).filter(({ since }) => since < end);
    const cuts = past.map(({ since }) => since).filter((since) => since > hand.from);
    const starts = [...new Set([hand.from, ...cuts])];
    return starts.map((from, index) => {
      const until = past.filter(({ since }) => since <= from);
      const part = { ...hand, from, to: starts[index + 1] ?? hand.to };
      return this.#shared(part, this.#isSeen(positionOf(hand.of), from) ? until : [...until, null]);
    });
  }

  /** The share of some processes; null stands for others that were not seen. */
  #shared(hand: HandIn, members: readonly (Member | null)[]): SharedHand {
    const shares = this.#tenants.map((tenant): Share => {
      const known = members.map((member) => (member === null ? null : belongs(member, tenant)));
      return { isOwn: anyIs(true, known), isOthers: anyIs(false, known) };
    });
    return { ...hand, shares };
  }

  /** The processes that ever had a descriptor of a file, by the position from which they had one. */
  #pastOf(file: FileId): readonly PastHolder[] {
    let past = this.#past.get(file);
    if (past === undefined) {
      past = this.#findPast(file);
      this.#past.set(file, past);
    }
    return past;
  }

  #findPast(file: FileId): PastHolder[] {
    const found = new Map<string, PastHolder>();
    follow(this.#timeline, positionOf(file), null, (host, position) => {
      for (const hold of host.holdsOf(file)) {
        const holder = holderShown(holderOf(hold));
        const { pid, comm, cgroup, via } = holder;
        const key = JSON.stringify([pid, comm, cgroup]);
        if (via === 'fd' && !found.has(key)) found.set(key, { ...holder, since: position });
      }
      return { files: host.isOpen(file) ? [file] : [] };
    });
    return [...found.values()];
  }
}

/** Whether any of several statements is as wanted; null if that is not known, or there are none. */
function anyIs(wanted: boolean, known: readonly (boolean | null)[]): boolean | null {
  if (known.includes(wanted)) return true;
  return known.length === 0 || known.includes(null) ? null : false;
}
