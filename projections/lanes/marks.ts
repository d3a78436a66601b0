/**
 * Marks: the events that a picture of a history shows beside its lanes, merged by columns.
 *
 * @module
 */
import { eventTypes, type EventType } from '../../events/vocabulary.ts';
import type { Segment } from '../index/segment.ts';
import type { Timeline } from '../timeline.ts';
import { columnsBetween, evenColumns, type ColumnOf } from './lane-columns.ts';
import { laneSubjects, type LaneSubject } from './lane-subjects.ts';
import type { PictureRange } from './lanes.ts';

/**
 * - `refusal`: an attempt was refused
 * - `driver`: a driver was bound or unbound, or its unbind waits
 * - `exit`: a process ended
 * - `boot`: the host booted, or its kernel died
 * - `gap`: evidence is missing
 * - `plug`: a device was added or removed
 */
export type MarkKind = 'refusal' | 'driver' | 'exit' | 'boot' | 'gap' | 'plug';

const kinds: Readonly<Partial<Record<EventType, MarkKind>>> = {
  'operation.refused': 'refusal',
  'driver.bound': 'driver',
  'driver.unbound': 'driver',
  'driver.unbind-blocked': 'driver',
  'process.exited': 'exit',
  'host.booted': 'boot',
  'host.died': 'boot',
  'gap.noticed': 'gap',
  'device.added': 'plug',
  'device.removed': 'plug',
};

/** Events of one kind, on one lane, in one column. */
export interface Mark {
  readonly kind: MarkKind;
  /** The id of the device or group that was refused; null: on the axis, as all other kinds are. */
  readonly lane: string | null;
  /** Half-open, from the first of the events to the last. */
  readonly from: number;
  readonly to: number;
  /** The number of events. */
  readonly count: number;
  /** Position of the first of them. */
  readonly position: number;
}

/** The marks of a range, merged in so many columns of the same width; ascending. */
export function marksBetween(
  timeline: Timeline,
  { from, end }: PictureRange,
  columns: number,
): Mark[] {
  return drawn(timeline, { from, end }, evenColumns(from, end, columns));
}

/** The marks from the first edge up to the last, merged in the columns between ascending edges. */
export function marksOver(timeline: Timeline, edges: readonly number[]): Mark[] {
  const [from = 0, end = from] = [edges[0], edges.at(-1)];
  return drawn(timeline, { from, end }, columnsBetween(edges));
}

function drawn(timeline: Timeline, { from, end }: PictureRange, columnOf: ColumnOf): Mark[] {
  if (from >= end) return [];
  const lanes = laneSubjects(timeline, end - 1);
  const types = new Set(Object.keys(kinds) as EventType[]);
  const marks: Mark[] = [];
  /** The index of the mark that each kind has on each lane in the last column. */
  const open = new Map<string, number>();
  let column: number | null = null;
  for (const segment of timeline.segments(from)) {
    if (segment.first >= end) break;
    const refused = new RefusedLanes(timeline, segment, lanes);
    for (const position of segment.positionsOfTypes(types, from, end - 1)) {
      const kind = kinds[segment.typeAt(position)];
      if (kind === undefined) continue;
      if (columnOf(position) !== column) open.clear();
      column = columnOf(position);
      const lane = kind === 'refusal' ? refused.laneAt(position) : null;
      const place = `${kind} ${lane}`;
      const at = open.get(place) ?? marks.length;
      const mark = marks[at] ?? { kind, lane, from: position, count: 0, position };
      marks[at] = { ...mark, to: position + 1, count: mark.count + 1 };
      open.set(place, at);
    }
  }
  return marks;
}

const REFUSED = eventTypes.indexOf('operation.refused');

/** What the refusals of a segment were about, from its posting lists. */
class RefusedLanes {
  readonly #timeline: Timeline;
  readonly #devices: ReadonlyMap<number, readonly string[]>;
  readonly #groups: ReadonlyMap<number, readonly string[]>;

  constructor(timeline: Timeline, segment: Segment, lanes: readonly LaneSubject[]) {
    this.#timeline = timeline;
    this.#devices = refusalsOf(segment, lanes, 'device');
    this.#groups = refusalsOf(segment, lanes, 'group');
  }

  /** The lane of what was refused: its device, else its group. The event says which of several. */
  laneAt(position: number): string | null {
    const among = this.#devices.get(position) ?? this.#groups.get(position) ?? [];
    if (among.length < 2) return among[0] ?? null;
    const { device, group }: { device?: unknown; group?: unknown } = this.#timeline.at(position)
      .data as object;
    return among.find((id) => id === device || id === group) ?? among[0] ?? null;
  }
}

/** The lanes that each refusal concerns, by its position. */
function refusalsOf(
  segment: Segment,
  lanes: readonly LaneSubject[],
  kind: LaneSubject['kind'],
): Map<number, string[]> {
  const found = new Map<number, string[]>();
  const { cells } = segment.parts.types;
  for (const { id } of lanes.filter((lane) => lane.kind === kind)) {
    const events = segment.eventsOf(`${kind} ${id}`);
    for (let index = 0; index < events.length; index++) {
      const event = events[index]!;
      if (cells[event] !== REFUSED) continue;
      const position = segment.first + event;
      const others = found.get(position);
      if (others === undefined) found.set(position, [id]);
      else others.push(id);
    }
  }
  return found;
}
