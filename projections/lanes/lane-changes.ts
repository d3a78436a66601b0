/**
 * How a group or device looked over a range of positions, also where it is not on the host: it may have
 * been there all the same before evidence found it, and of older events that were removed nothing is known.
 *
 * @module
 */
import { countBelow } from '../index/columns.ts';
import { bareOwnerAt, beforeFound } from '../owner-at.ts';
import type { Timeline } from '../timeline.ts';
import { absent, isSameLook, laneOwner, unknownLook, type LaneLook } from './lane-look.ts';
import type { LaneSubject } from './lane-subjects.ts';
import { lanesOfSegment } from './segment-lanes.ts';

type LookedAt = Pick<LaneSubject, 'kind' | 'id'>;

/** A look from a position on. */
export interface LookFrom {
  readonly position: number;
  readonly look: LaneLook;
}

/** As `LookFrom`; null for what is not on the host. */
interface LookOnHost {
  readonly position: number;
  readonly look: LaneLook | null;
}

/** The looks from `from` up to but without `end`: the first at `from`, each other one differs from the one before. */
export function looksBetween(
  timeline: Timeline,
  subject: LookedAt,
  from: number,
  end: number,
): LookFrom[] {
  const found: LookFrom[] = [];
  for (const next of allLooks(timeline, subject, from, end)) {
    const last = found.at(-1);
    if (last === undefined || !isSameLook(last.look, next.look)) found.push(next);
  }
  return found;
}

function* allLooks(timeline: Timeline, subject: LookedAt, from: number, end: number) {
  const known = knownFrom(timeline);
  if (from < known) yield { position: from, look: unknownLook };
  let last: LookOnHost | null = null;
  for (const next of looksOnHost(timeline, subject, Math.max(from, known), end)) {
    if (last !== null) yield* shown(timeline, subject, last, next.position);
    last = next;
  }
  if (last !== null) yield* shown(timeline, subject, last, end);
}

/** The first position at which the host is known. */
function knownFrom(timeline: Timeline): number {
  const { first, head } = timeline;
  if (first === 0) return 0;
  return timeline.bootAfter(first - 1) ?? head + 1;
}

/** The looks by the host alone, from `from` on. */
function* looksOnHost(
  timeline: Timeline,
  { kind, id }: LookedAt,
  from: number,
  end: number,
): Generator<LookOnHost> {
  if (from >= end) return;
  for (const segment of timeline.segments(from)) {
    if (segment.first >= end) return;
    const { before, positions, looks } = lanesOfSegment(segment).run(kind, id);
    const begin = Math.max(from, segment.first);
    const passed = countBelow(positions, begin + 1);
    yield { position: begin, look: passed === 0 ? before : looks[passed - 1]! };
    for (let index = passed; index < positions.length; index++) {
      const position = positions[index]!;
      if (position >= end) return;
      yield { position, look: looks[index]! };
    }
  }
}

/** A look by the host alone as it is shown: something that is not on the host may be unknown. */
function* shown(
  timeline: Timeline,
  { kind, id }: LookedAt,
  { position, look }: LookOnHost,
  end: number,
): Generator<LookFrom> {
  if (look !== null) return yield { position, look };
  if (kind === 'group') {
    const owner = laneOwner(bareOwnerAt(timeline, id, position));
    return yield { position, look: owner === null ? absent : { state: 'unknown', owner } };
  }
  const { isThere, group } = beforeFound(timeline, id, position);
  if (!isThere) return yield { position, look: absent };
  if (group === null) return yield { position, look: unknownLook };
  for (const of of looksBetween(timeline, { kind: 'group', id: group }, position, end)) {
    yield { position: of.position, look: { state: 'unknown', owner: of.look.owner } as const };
  }
}
