/**
 * The first violation of each invariant in a history, and the fewest events that still show it.
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

/** The first violation of an invariant: `position` is of the event after which it does not hold. */
export type FirstViolation = Violation & { readonly position: number };

/** Goes through a history event by event, and tells of the first violation of each invariant. */
export class Watch {
  readonly #violated = new Set<InvariantName>();
  readonly #claims = new Claims();
  readonly #names: readonly InvariantName[];

  constructor(names: readonly InvariantName[] = invariantNames) {
    this.#names = names;
  }

  /** Takes the next event, which `host` has taken already, and gives what it is the first to violate. */
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

/** `Bisection` with the violation in the place of its words. */
export type FoundViolation<E> = Omit<Bisection<E>, 'detail'> & { readonly violation: Violation };

/**
 * The first violation of an invariant with what the rules say of the event, and the fewest events up
 * to it that still show it; null where it holds throughout.
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

/** What the rules say of an event that passed: the cause for which they would have refused it. */
function ruled(timeline: Timeline, position: number): Pick<Bisection, 'cause'> {
  const call = callOf(timeline.at(position))?.call;
  if (call === undefined) return { cause: null };
  return { cause: timeline.playedAt(position - 1).objection(call)?.cause ?? null };
}
