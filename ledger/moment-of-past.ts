/**
 * The host at a moment of a history: its answers remember where they come from, and it can be forked.
 *
 * @module
 */
import { INSPECT } from '../events/inspect-symbol.ts';
import type { Placed } from '../events/vocabulary.ts';
import { HostAtMoment } from '../projections/moment.ts';
import type { LogEnd, Table, Who } from '../projections/shapes.ts';
import type { Timeline } from '../projections/timeline.ts';
import { START } from '../projections/when.ts';
import { printableText } from '../words/columns.ts';
import { tableInShort } from '../words/inspect.ts';
import { withOrigin, type AnswerOrigin } from './origins.ts';
import type { Past } from './questions.ts';
import type { WhatIf } from './what-if.ts';

interface PlaceInPast {
  readonly timeline: Timeline;
  readonly position: number;
  /** Given if the moment is an instant after the end of the log. */
  readonly logEnds: LogEnd | null;
}

export class MomentOfPast extends HostAtMoment {
  readonly #origin: AnswerOrigin;
  readonly #fork: () => WhatIf;

  /** @internal */
  constructor(
    { timeline, position, logEnds }: PlaceInPast,
    past: Past<Placed>,
    fork: (position: number) => WhatIf,
  ) {
    super(timeline, position, logEnds);
    this.#origin = { past, position };
    this.#fork = () => timeline.index.ask(() => fork(position));
  }

  override table(): Table {
    const found = super.table();
    for (const row of [...found.groups, ...found.devices]) withOrigin(row, this.#origin);
    return withOrigin(found, this.#origin);
  }

  override device(word: string): ReturnType<HostAtMoment['device']> {
    return withOrigin(super.device(word), this.#origin);
  }

  override group(word: string): ReturnType<HostAtMoment['group']> {
    return withOrigin(super.group(word), this.#origin);
  }

  override who(word: string): Who {
    return withOrigin(super.who(word), this.#origin);
  }

  /**
   * A what-if: a history that shares the events up to this moment, and takes attempts that were
   * never made. It does not change this history. Throws `bad-request` if the host is unknown here.
   */
  fork(): WhatIf {
    return this.#fork();
  }

  /** @internal */
  [INSPECT](): string {
    const { past, position } = this.#origin;
    const isKnown = position === START || past.event(position) !== undefined;
    return isKnown ? printableText(tableInShort(super.table())) : `position ${position}`;
  }
}
