/**
 * Compares what the index answers about refusals with the machines, and with counterfactuals that
 * are worked out by playing the events.
 *
 * @module
 */
import type { DataOf, Placed } from '../../events/vocabulary.ts';
import type { ObservedCause } from '../../machines/causes.ts';
import type { Blocker } from '../../machines/check.ts';
import type { LiveHost } from '../../machines/live-host.ts';
import { positionOf } from '../../processes/process-table.ts';
import type { Finding } from '../findings.ts';
import type { Why } from '../why/why.ts';
import type { Timeline } from '../timeline.ts';
import { keepers } from '../views.ts';
import { wouldPassAfter } from '../why/counterfactual.ts';
import { isMadeByEvents, judgedRefusal } from '../why/refusals.ts';

/** A refusal as the machines explain it. */
interface Explained {
  readonly position: number;
  readonly data: DataOf<'operation.refused'>;
  readonly cause: ObservedCause;
  readonly blocker: Why['blocker'];
  readonly isByTheRules: boolean;
}

/** One refusal in so many is compared. */
const ONE_IN = 1000;

/** Whether the event at a position is among those that are compared: by its position alone. */
export function isSampled(position: number): boolean {
  // Fibonacci hashing: a log that repeats itself shows another of its refusals each time.
  return Math.imul(position, 0x9e37_79b1) >>> 0 < 2 ** 32 / ONE_IN;
}

/** Refusals of a log that is being played. */
export class ExplainedRefusals {
  readonly #isWanted: (position: number) => boolean;
  readonly #explained: Explained[] = [];

  constructor(isWanted: (position: number) => boolean = isSampled) {
    this.#isWanted = isWanted;
  }

  /** Takes the next event; `host` is the host right before it. */
  take(event: Placed, host: LiveHost): void {
    if (event.type !== 'operation.refused' || !host.isKnown) return;
    const { position, data } = event;
    // What a program concluded is no answer of the kernel.
    if (data.errno === null || !this.#isWanted(position)) return;
    const { cause, refusal } = host.explain(data);
    const blocker = refusal?.blocker ?? null;
    this.#explained.push({
      position,
      data,
      cause,
      blocker: blocker && held(blocker, host),
      isByTheRules: host.judgeAs(data, cause)?.cause === cause,
    });
  }

  /** Compares them with the answers of a timeline of all events. */
  *compare(timeline: Timeline): Generator<Finding> {
    for (const explained of this.#explained) {
      const { position, data, cause, blocker } = explained;
      const { found: answer, passesAfter } = judgedRefusal(timeline, position);
      const at = { kind: 'why', position } as const;
      if (answer.cause !== cause) {
        yield { ...at, differing: 'cause', answered: answer.cause, exact: cause };
        continue;
      }
      if (JSON.stringify(answer.blocker) !== JSON.stringify(blocker)) {
        yield { ...at, differing: 'blocker' };
        continue;
      }
      const refused = { position, call: data, cause, blocker: blocker?.file ?? null };
      const isMade = isMadeByEvents(timeline, explained, explained);
      const exact = isMade ? wouldPassAfter(timeline, refused) : null;
      const answered = passesAfter();
      if (answered !== exact) yield { ...at, differing: 'wouldPassAfter', answered, exact };
    }
  }
}

/** A blocker with its holders. An owner without a name is none. */
function held({ kind, file: id, driver }: Blocker, host: LiveHost): Why['blocker'] {
  const file = id === null || Number.isNaN(positionOf(id)) ? null : id;
  return { kind, file, driver, holders: file === null ? [] : keepers(host, [file]) };
}
