/**
 * Finds the first violation of each invariant in a history, and the fewest events that still show
 * it.
 *
 * @module
 */
import type { Placed } from '../../events/vocabulary.ts';
import { callOf } from '../../operations/table.ts';
import { LiveHost } from '../../machines/live-host.ts';
import type { FileId } from '../../processes/process-table.ts';
import { ClaimedHost } from './claimed-host.ts';
import {
  holdsFor,
  invariantNames,
  violationOf,
  type InvariantName,
  type Violation,
} from './invariants.ts';
import { Multimap } from '../multimap.ts';
import { fewestOf } from '../fewest.ts';
import type { Bisection } from '../shapes.ts';
import type { Timeline } from '../timeline.ts';

/** The first violation of an invariant; `position` is that of the event which violates it. */
export type FirstViolation = Violation & { readonly position: number };

/** Reports the first violation of each invariant while a history is played. */
export class Watch {
  readonly #violated = new Set<InvariantName>();
  readonly #claims = new ClaimedHost();
  readonly #names: readonly InvariantName[];
  /** By group its owner on the machines, and by owner its groups. */
  readonly #ownerOf = new Map<string, FileId | null>();
  readonly #ownedBy = new Multimap<string, string>();

  constructor(names: readonly InvariantName[] = invariantNames) {
    this.#names = names;
  }

  /**
   * Takes the next event after `host` has taken it. Returns the violations that it is the first to
   * show.
   */
  take(event: Placed, host: LiveHost): FirstViolation[] {
    const { touched } = host;
    this.#claims.take(event, touched);
    for (const group of touched.groups) this.#noteOwner(group, host);
    const groups = this.#groupsTouched(touched.groups);
    if (groups.length === 0) return [];
    const found: FirstViolation[] = [];
    for (const invariant of this.#names) {
      if (this.#violated.has(invariant) || !holdsFor(invariant, host.profile)) continue;
      const violation = this.#firstIn(groups, invariant, host);
      if (violation !== null) found.push({ ...violation, position: event.position });
    }
    for (const violation of found) this.#violated.add(violation.invariant);
    return found;
  }

  #noteOwner(group: string, host: LiveHost): void {
    const owner = host.group(group)?.owner ?? null;
    const before = this.#ownerOf.get(group) ?? null;
    if (owner === before) return;
    this.#ownerOf.set(group, owner);
    this.#ownedBy.delete(before, group);
    this.#ownedBy.add(owner, group);
  }

  /** The groups of which an invariant may read something else than before the event. */
  #groupsTouched(onMachines: ReadonlySet<string>): string[] {
    const { touched, released } = this.#claims;
    const groups = new Set([...onMachines, ...touched]);
    for (const file of released) for (const group of this.#ownedBy.of(file)) groups.add(group);
    return [...groups].filter((group) => this.#claims.hasGroup(group));
  }

  /** The violation of an invariant in the first of the groups, in the order of the claims. */
  #firstIn(groups: readonly string[], invariant: InvariantName, host: LiveHost): Violation | null {
    const claims = this.#claims;
    const violations = groups.flatMap(
      (group) => violationOf(invariant, { group, claims, host }) ?? [],
    );
    if (violations.length < 2) return violations[0] ?? null;
    const order = [...claims.groups()];
    const [first = null] = violations.toSorted(
      (a, b) => order.indexOf(a.group) - order.indexOf(b.group),
    );
    return first;
  }
}

/** A `Bisection` that has the violation as data; `words/answers.ts` turns it into `detail`. */
export type FoundViolation<E> = Omit<Bisection<E>, 'detail' | 'coverage'> & {
  readonly violation: Violation;
};

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
  const event = timeline.at(position);
  return {
    invariant,
    where: null,
    position,
    time: event.time,
    event,
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
