/**
 * Goes from moment to moment: on from the last one where that is near, else from a copy before it.
 *
 * @module
 */
import type { HostAt } from '../../machines/host-at.ts';
import { advance } from './journal.ts';
import type { RefusalAt, Segment } from './segment.ts';
import type { Standing } from './standing.ts';
import type { TimeIndex } from './time-index.ts';
import type { HoldAt } from './hold-at.ts';
import { StandingView } from './view.ts';

/** A standing on its way through a segment. */
interface Walk {
  readonly segment: Segment;
  readonly copy: ReturnType<Segment['copyBefore']>;
  readonly view: StandingView;
}

export class Walker {
  readonly #index: TimeIndex;
  #walk: Walk | null = null;

  constructor(index: TimeIndex) {
    this.#index = index;
  }

  /** How things stood after the event at a position. Once another is asked for, it throws. */
  viewAt(position: number): StandingView {
    return this.#to(position).view;
  }

  /** The same in numbers. */
  standingAt(position: number): Standing {
    return this.#to(position).copy.standing;
  }

  /** What the rules say of a refusal, and the host that it met; null where nothing was known of that. */
  refusalAt(position: number): (RefusalAt & { readonly host: HostAt }) | null {
    const segment = this.#index.segmentAt(position);
    const { copy, view } = this.#within(segment, position - segment.first);
    const refusal = segment.refusalAt(copy.cursor);
    return refusal && { ...refusal, host: view };
  }

  /** How a place came to hold a file: the hold of that number. */
  holdNumbered(number: number): HoldAt {
    const { position, row } = this.#index.segmentOfHold(number).holdNumbered(number);
    return this.viewAt(position).holdAt(row);
  }

  #to(position: number): Walk {
    const segment = this.#index.segmentAt(Math.max(position, this.#index.first));
    return this.#within(segment, Math.max(position + 1 - segment.first, 0));
  }

  /** As things stood before an event of a segment. */
  #within(segment: Segment, event: number): Walk {
    const last = this.#walk;
    const isOn = last?.segment === segment && last.copy.cursor.event <= event;
    const copy =
      last !== null && isOn && !segment.isNearerTo(event, last.copy.cursor.event)
        ? last.copy
        : segment.copyBefore(event);
    const { cursor, standing } = copy;
    if (last?.copy === copy && cursor.event === event) return last;
    last?.view.expire();
    advance(segment.parts.journal, standing, cursor, event);
    this.#walk = { segment, copy, view: new StandingView(standing, segment.parts.codes) };
    return this.#walk;
  }
}
