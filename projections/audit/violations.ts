/**
 * Finds the first violation of each invariant in a history, and the fewest events that still show
 * it.
 *
 * @module
 */
import type { Placed } from '../../events/vocabulary.ts';
import { callOf } from '../../operations/table.ts';
import { LiveHost } from '../../machines/live-host.ts';
import { Claims } from './claims.ts';
import {
  holdsFor,
  invariantNames,
  violationOf,
  type InvariantName,
  type Violation,
} from './invariants.ts';
import { fewestOf } from '../fewest.ts';
import type { Bisection } from '../shapes.ts';
import type { Timeline } from '../timeline.ts';

/** The first violation of an invariant; `position` is that of the event which violates it. */
export type FirstViolation = Violation & { readonly position: number };

/** Reports the first violation of each invariant while a history is played. */
export class Watch {
  readonly #violated = new Set<InvariantName>();
  readonly #claims = new Claims();
  readonly #names: readonly InvariantName[];

  constructor(names: readonly InvariantName[] = invariantNames) {
    this.#names = names;
  }

  /**
   * Takes the next event after `host` has taken it. Returns the violations that it is the first to
   * show.
   */
  take(event: Placed, host: LiveHost): FirstViolation[] {
    const found: FirstViolation[] = [];
    this.#claims.take(event, host.touched);
    const groups = this.#claims.groups();
    for (const invariant of this.#names) {
      if (this.#violated.has(invariant) || !holdsFor(invariant, host.profile)) continue;
      for (const group of groups) {
        const violation = violationOf(invariant, { group, claims: this.#claims, host });
        if (violation === null) continue;
        found.push({ ...violation, position: event.position });
        break;
      }
    }
    for (const violation of found) this.#violated.add(violation.invariant);
    return found;
  }
}

/** A `Bisection` that has the violation as data; `words/answers.ts` turns it into `detail`. */
export type FoundViolation<E> = Omit<Bisection<E>, 'detail'> & { readonly violation: Violation };

/**
 * The first violation of an invariant, the cause for which the rules refuse the event, and the
 * fewest events of the boot that still show it; null if the invariant is never violated.
 */
export function bisectBy<E extends Placed>(
  timeline: Timeline<E>,
  invariant: InvariantName,
): FoundViolation<E> | null {
  const found = firstOf(invariant, timeline.between(timeline.first, timeline.head));
  if (found === null) return null;
  const { position, group } = found;
  const boot = [...timeline.between(timeline.bootBefore(position), position)];
  const shows = (events: readonly E[]): boolean => {
    const shown = firstOf(invariant, events);
    return shown?.position === position && shown.group === group;
  };
  const prefix = fewestOf(boot, shows).map((event) => event.position);
  return {
    invariant,
    where: null,
    position,
    event: timeline.at(position),
    violation: found,
    ...ruled(timeline, position),
    prefix,
  };
}

function firstOf(invariant: InvariantName, events: Iterable<Placed>): FirstViolation | null {
  const host = new LiveHost();
  const watch = new Watch([invariant]);
  for (const event of events) {
    host.take(event);
    const [found] = watch.take(event, host);
    if (found !== undefined) return found;
  }
  return null;
}

/** The cause for which the rules refuse an event that passed; null if they allow it. */
function ruled(timeline: Timeline, position: number): Pick<Bisection, 'cause'> {
  const call = callOf(timeline.at(position))?.call;
  if (call === undefined) return { cause: null };
  return { cause: timeline.playedAt(position - 1).objection(call)?.cause ?? null };
}
