/**
 * Groups that evidence finds on the host: they existed before the first event that tells of them, and
 * nothing shows who owned them until then.
 *
 * @module
 */
import type { EventType, Placed } from '../events/vocabulary.ts';
import type { LiveHost } from '../machines/live-host.ts';
import type { Position } from './shapes.ts';
import { noteSubjects } from './subjects.ts';
import type { Timeline } from './timeline.ts';

/** What an event that tells of a group comes after. */
interface EventsBefore {
  /** Whether any of them tells more than which devices the host has. */
  readonly isBegun: boolean;
  /** Whether the last boot was observed: what comes after it was not there before. */
  readonly isBootSeen: boolean;
}

/** The events that only tell which devices the host has: they are of one moment. */
const inventory = new Set<EventType>([
  'host.booted',
  'evidence.begun',
  'group.found',
  'device.added',
  'device.removed',
  'driver.bound',
  'driver.unbound',
]);

/** Whether an event tells more than which devices the host has. */
export function beginsHistory({ type }: { readonly type: EventType }): boolean {
  return !inventory.has(type);
}

/** Whether a group was there before an event that is the first to tell of it, without refusals and claims. */
export function findsGroup({ type, data }: Placed, before: EventsBefore): boolean {
  if (type !== 'device.added') return type === 'group.found';
  const { evidence } = data;
  if (evidence === undefined || evidence.certainty === 'assumed' || !before.isBegun) return false;
  // What was seen to come has no rule.
  return evidence.rule !== undefined || !before.isBootSeen;
}

/**
 * The position at which a group was found; that after the last event if only refusals and claims name
 * it. Null if it did not exist before the first event that tells of it. A host that was recorded from its
 * boot on has no groups other than those that its events tell of.
 */
export function foundAt(timeline: Timeline, group: string): Position {
  const beginning = beginningOf(timeline);
  const known = beginning.found.get(group);
  if (known !== undefined) return known;
  let firstNamed: number | null = null;
  for (const position of timeline.positionsOf(`group ${group}`)) {
    const type = timeline.typeAt(position);
    if (naming.has(type)) firstNamed ??= position;
    else if (type !== 'gap.noticed') {
      const found = isFoundAt(timeline, position) ? position : null;
      beginning.found.set(group, found);
      return found;
    }
  }
  if (firstNamed === null || isRecordedAt(timeline, firstNamed)) return null;
  return timeline.head + 1;
}

/** As `foundAt` for the groups of a host that takes events one by one, which need not be those of a timeline. */
export class FoundGroups {
  #isBegun = false;
  #isBootSeen = false;
  /** Of each group, where it was found; null if the first event that told of it did not find it. */
  readonly #found = new Map<string, Position>();

  /** Takes the next event; `host` is the host right before it. */
  take(host: LiveHost, event: Placed): void {
    const { type, position } = event;
    if (!naming.has(type) && type !== 'gap.noticed') {
      const before = { isBegun: this.#isBegun, isBootSeen: this.#isBootSeen };
      noteSubjects(host, event, (kind, id) => {
        if (kind !== 'group' || this.#found.has(String(id))) return;
        this.#found.set(String(id), findsGroup(event, before) ? position : null);
      });
    }
    this.#isBegun ||= beginsHistory(event);
    if (event.type !== 'host.booted') return;
    this.#isBootSeen = event.data.evidence?.certainty === 'observed';
  }

  foundAt(group: string): Position {
    return this.#found.get(group) ?? null;
  }
}

/** Whether the event at a position, the first of its group, finds the group. */
function isFoundAt(timeline: Timeline, position: number): boolean {
  const type = timeline.typeAt(position);
  if (type !== 'device.added') return type === 'group.found';
  const boot = timeline.at(timeline.bootBefore(position));
  return findsGroup(timeline.at(position), {
    isBegun: begunAt(timeline) < position,
    isBootSeen: boot.type === 'host.booted' && boot.data.evidence?.certainty === 'observed',
  });
}

/** Whether a host was recorded from the boot before a position on: it was simulated, or asked. */
export function isRecordedAt(timeline: Timeline, position: number): boolean {
  const boot = timeline.at(timeline.bootBefore(position));
  return boot.type === 'host.booted' && boot.data.evidence === undefined;
}

/** What the first events of a timeline tell, which later ones do not change; as far as it was asked for. */
interface Beginning {
  /** Where it begins to tell more than which devices the host has. */
  begun: number;
  /** Of each group of which an event tells, where it was found; null if it was not. */
  readonly found: Map<string, Position>;
}

const beginnings = new WeakMap<Timeline, Beginning>();

function beginningOf(timeline: Timeline): Beginning {
  const known = beginnings.get(timeline) ?? { begun: Infinity, found: new Map() };
  beginnings.set(timeline, known);
  return known;
}

function begunAt(timeline: Timeline): number {
  const beginning = beginningOf(timeline);
  for (let at = timeline.first; at <= timeline.head && beginning.begun === Infinity; at++) {
    if (beginsHistory({ type: timeline.typeAt(at) })) beginning.begun = at;
  }
  return beginning.begun;
}

const naming = new Set<EventType>([
  'operation.refused',
  'claim.granted',
  'claim.refused',
  'claim.released',
]);
