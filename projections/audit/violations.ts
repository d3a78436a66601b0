/**
 * The first violation of each invariant in a history, and the fewest events that still show it.
 *
 * @module
 */
import type { Placed } from '../../events/vocabulary.ts';
import { callOf } from '../../operations/table.ts';
import { LiveHost } from '../../machines/live-host.ts';
import type { FileId } from '../../processes/process-table.ts';
import { Claims } from './claims.ts';
import {
  holdsFor,
  invariantNames,
  violationOf,
  type InvariantName,
  type Violation,
} from './invariants.ts';
import { Multimap } from './multimap.ts';
import { fewestOf } from '../fewest.ts';
import type { Bisection } from '../shapes.ts';
import type { Timeline } from '../timeline.ts';

/** The first violation of an invariant: `position` is of the event after which it does not hold. */
export type FirstViolation = Violation & { readonly position: number };

/**
 * Goes through a history event by event, and tells of the first violation of each invariant.
 *
 * After an event it judges only the groups that the event touched, in the claims or on the machines,
 * and the groups that a file owns by the machines which the claims have released. No other group can
 * have come to violate an invariant: all that an invariant reads of it is as before.
 */
export class Watch {
  readonly #violated = new Set<InvariantName>();
  readonly #claims = new Claims();
  readonly #names: readonly InvariantName[];
  /** By group its owner on the machines, and by owner its groups. */
  readonly #ownerOf = new Map<string, FileId | null>();
  readonly #ownedBy = new Multimap<string>();

  constructor(names: readonly InvariantName[] = invariantNames) {
    this.#names = names;
  }

  /** Takes the next event, which `host` has taken already, and gives what it is the first to violate. */
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
