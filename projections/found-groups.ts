/**
 * Groups that evidence finds on the host: they existed before the first event that tells of them, and
 * nothing shows who owned them until then.
 *
 * @module
 */
import { isSeenBoot } from '../events/evidence.ts';
import type { EventType, Placed } from '../events/vocabulary.ts';
import type { LiveHost } from '../machines/live-host.ts';
import type { Position } from './shapes.ts';
import { noteSubjects } from './subjects.ts';
import type { Timeline } from './timeline.ts';

/**
 * Whether a group was there before an event that is the first to tell of it, without refusals and claims.
 * After a boot that was seen, a device came with the event, unless a rule says that it was there.
 */
export function findsGroup({ type, data }: Placed, isBootSeen: boolean): boolean {
  if (type !== 'device.added') return finding.has(type);
  const { evidence } = data;
  if (evidence === undefined || evidence.certainty === 'assumed') return false;
  return evidence.rule !== undefined || !isBootSeen;
}

/**
 * The position at which a group was found; that after the last event if only refusals and claims name
 * it. Null if it did not exist before the first event that tells of it. A host that was recorded from its
 * boot on has no groups other than those that its events tell of.
 */
export function foundAt(timeline: Timeline, group: string): Position {
  const found = knownOf(timeline);
  const at = found.get(group);
  if (at !== undefined) return at;
  let firstNamed: number | null = null;
  for (const position of timeline.positionsOf(`group ${group}`)) {
    const type = timeline.typeAt(position);
    if (naming.has(type)) firstNamed ??= position;
    else {
      const where = isFoundAt(timeline, position) ? position : null;
      found.set(group, where);
      return where;
    }
  }
  if (firstNamed === null || isRecordedAt(timeline, firstNamed)) return null;
  return timeline.head + 1;
}

/** As `foundAt` for the groups of a host that takes events one by one, which need not be those of a timeline. */
export class FoundGroups {
  #isBootSeen = false;
  /** Of each group, where it was found; null if the first event that told of it did not find it. */
  readonly #found = new Map<string, Position>();

  /** Takes the next event; `host` is the host right before it. */
  take(host: LiveHost, event: Placed): void {
    const { type, position } = event;
    if (!naming.has(type)) {
      noteSubjects(host, event, (kind, id) => {
        if (kind !== 'group' || this.#found.has(String(id))) return;
        this.#found.set(String(id), findsGroup(event, this.#isBootSeen) ? position : null);
      });
    }
    if (event.type === 'host.booted') this.#isBootSeen = isSeenBoot(event);
  }

  foundAt(group: string): Position {
    return this.#found.get(group) ?? null;
  }
}

/** Whether the event at a position, the first of its group, finds the group. */
function isFoundAt(timeline: Timeline, position: number): boolean {
  const type = timeline.typeAt(position);
  if (type !== 'device.added') return finding.has(type);
  return findsGroup(timeline.at(position), isSeenBoot(timeline.at(timeline.bootBefore(position))));
}

/** Whether a host was recorded from the boot before a position on: it was simulated, or asked. */
export function isRecordedAt(timeline: Timeline, position: number): boolean {
  const boot = timeline.at(timeline.bootBefore(position));
  return boot.type === 'host.booted' && boot.data.evidence === undefined;
}

/** Of each group of a timeline that was asked for and of which an event tells, where it was found; else null. */
const known = new WeakMap<Timeline, Map<string, Position>>();

function knownOf(timeline: Timeline): Map<string, Position> {
  const found = known.get(timeline) ?? new Map<string, Position>();
  known.set(timeline, found);
  return found;
}

/** Events that say that a group is there already, if they are the first to tell of it. */
const finding = new Set<EventType>(['group.found', 'gap.noticed']);

const naming = new Set<EventType>([
  'operation.refused',
  'claim.granted',
  'claim.refused',
  'claim.released',
]);
