/**
 * Moves a standing from one moment to another: forward from the last moment if that is in the same
 * block, else from the begin of the block.
 *
 * @module
 */
import type { HostAt } from '../../machines/host-at.ts';
import type { Block, Copy } from './blocks.ts';
import { advance } from './journal.ts';
import { passesAfter } from './passes-after.ts';
import type { RefusalAt, Segment } from './segment.ts';
import type { TimeIndex } from './time-index.ts';
import type { HoldAt } from './hold-at.ts';
import { RowFinder } from './row-finder.ts';
import { StandingView } from './view.ts';

/** A standing that moves through a block, and the view of it. */
interface Walk {
  readonly block: Block;
  readonly copy: Copy;
  readonly finder: RowFinder;
  readonly view: StandingView;
}

interface FoundRefusal extends RefusalAt {
  /** The host before it. */
  readonly host: HostAt;
  /** See `passesAfter` (`passes-after.ts`). */
  readonly passesAfter: () => ReturnType<typeof passesAfter>;
}

export class Walker {
  readonly #index: TimeIndex;
  #walk: Walk | null = null;

  constructor(index: TimeIndex) {
    this.#index = index;
  }

  /** The host after the event at a position. The view expires when another moment is asked for. */
  viewAt(position: number): StandingView {
    return this.#to(position).view;
  }

  /** Whether the last view is that of the host after the event at a position. */
  isAt(position: number): boolean {
    const walk = this.#walk;
    return walk !== null && walk.block.journal.first + walk.copy.cursor.event === position + 1;
  }

  /** A refusal, and the host before it; null if that host was unknown. */
  refusalAt(position: number): FoundRefusal | null {
    const segment = this.#index.segmentAt(position);
    const { block, copy, view } = this.#within(segment, position);
    const refusal = segment.refusalAt(block.journal, copy.cursor);
    if (refusal === null) return null;
    const found = () => passesAfter(this.#index, refusal.passes, position);
    return { ...refusal, host: view, passesAfter: found };
  }

  /** The hold with this number, as it was when it was made. */
  holdNumbered(number: number): HoldAt {
    const { position, row } = this.#index.segmentOfHold(number).holdNumbered(number);
    return this.viewAt(position).holdAt(row);
  }

  #to(position: number): Walk {
    const segment = this.#index.segmentAt(Math.max(position, this.#index.first));
    return this.#within(segment, Math.max(position + 1, segment.first));
  }

  /** Moves to the moment before the event at a position of a segment. */
  #within(segment: Segment, position: number): Walk {
    const last = this.#walk;
    const block = segment.blockAt(position - segment.first);
    const { journal } = block;
    const event = position - journal.first;
    const isOn = last?.block === block && last.copy.cursor.event <= event;
    if (last !== null && isOn && last.copy.cursor.event === event) return last;
    last?.view.expire();
    const { copy, finder } = last !== null && isOn ? last : begun(block);
    const { cursor, standing } = copy;
    const before = cursor.copy();
    advance(journal, standing, cursor, event);
    finder.moved(journal, before, cursor);
    const view = new StandingView(standing, segment.parts.codes, finder);
    this.#walk = { block, copy, finder, view };
    return this.#walk;
  }
}

function begun(block: Block): Pick<Walk, 'copy' | 'finder'> {
  const copy = block.begin();
  return { copy, finder: new RowFinder(copy.standing) };
}
