/**
 * A log as a Perfetto trace: a track for each group, with one for each of its devices below it; a slice
 * for each interval; refusals, and other marks, as instants; and an arrow to each refusal from the
 * interval that was in its way.
 *
 * @module
 */
import type { Lane, LaneStretch, Ledger, Mark } from '../ledger.ts';
import { ownerWords } from '../words/owners.ts';
import {
  clockPacket,
  eventPacket,
  trackPacket,
  type PerfettoEvent,
  type PerfettoTrack,
} from './perfetto-packets.ts';
import { perfettoTimes } from './perfetto-times.ts';

/** The track above all others; it has the marks that are on the axis. */
const HOST = 1;

/** The packets of a trace, which are its bytes. */
export function* perfettoTrace(ledger: Ledger, name: string): Generator<Uint8Array, void, void> {
  const atMost = Math.max(3, ledger.length + 1);
  const lanes = ledger.lanes({ atMost });
  const marks = ledger.marks({ atMost });
  const times = perfettoTimes(ledger);
  if (ledger.isTimed) yield clockPacket(times[0] ?? 0n);
  const title = ledger.isTimed ? name : `${name} (no times: a position is a microsecond)`;
  yield trackPacket({ id: HOST, name: title, parent: null, rank: 0 });
  for (const track of tracksOf(lanes)) yield trackPacket(track);
  for (const event of eventsOf(ledger, lanes, marks, times)) yield eventPacket(event);
}

/** The track of each lane, in their order; it has the id of `trackOf`. */
function tracksOf(lanes: readonly Lane[]): PerfettoTrack[] {
  return lanes.map(({ kind, id, group }, index) => {
    const above = lanes.findIndex((lane) => lane.kind === 'group' && lane.id === group);
    const parent = kind === 'group' || above < 0 ? HOST : trackOf(above);
    return { id: trackOf(index), name: `${kind} ${id}`, parent, rank: index };
  });
}

function trackOf(lane: number): number {
  return HOST + 1 + lane;
}

/** An event at a position; those of one position stand in the order in which they are found. */
interface TrackEvent {
  readonly position: number;
  readonly event: PerfettoEvent;
}

function eventsOf(
  ledger: Ledger,
  lanes: readonly Lane[],
  marks: readonly Mark[],
  times: readonly bigint[],
): PerfettoEvent[] {
  const timeOf = (position: number): bigint => times[position - ledger.first] ?? 0n;
  const flows = new Map<LaneStretch, number[]>();
  const instants = marks.map((mark): TrackEvent => {
    return { position: mark.position, event: instantOf(ledger, lanes, mark, flows) };
  });
  const [ends, begins]: [TrackEvent[], TrackEvent[]] = [[], []];
  for (const [index, lane] of lanes.entries()) {
    const track = trackOf(index);
    for (const stretch of lane.stretches) {
      if (stretch.state === 'absent' && stretch.owner === null) continue;
      const flowsFrom = flows.get(stretch) ?? [];
      begins.push({ position: stretch.from, event: { ...sliceOf(stretch, track), flowsFrom } });
      ends.push({ position: stretch.to, event: { type: 'end', track, time: 0n } });
    }
  }
  // Sorting is stable: at one position slices end before others begin.
  return [...ends, ...begins, ...instants]
    .toSorted((a, b) => a.position - b.position)
    .map(({ position, event }) => ({ ...event, time: timeOf(position) }));
}

function sliceOf({ from, to, state, owner }: LaneStretch, track: number): PerfettoEvent {
  const words = owner === null ? null : ownerWords({ ...owner, holders: [] });
  return {
    type: 'begin',
    track,
    time: 0n,
    name: words === null || words === state ? state : `${state}: ${words}`,
    category: state,
    annotations: { from, to, state, owner: words },
  };
}

/** A mark as an instant; the arrow to a refusal is noted in `flows`, by the interval where it begins. */
function instantOf(
  ledger: Ledger,
  lanes: readonly Lane[],
  { kind, lane: id, position }: Mark,
  flows: Map<LaneStretch, number[]>,
): PerfettoEvent {
  const event = ledger.event(position);
  const name = event === undefined ? kind : ledger.describe(event);
  const track = id === null ? HOST : trackOf(lanes.findIndex((lane) => lane.id === id));
  const instant = { type: 'instant', track, time: 0n, name, category: kind } as const;
  if (kind !== 'refusal') return { ...instant, annotations: { position } };
  const { cause, errno, blocker, lane: inTheWay } = ledger.blocked({ position, lane: id });
  const annotations = { position, errno, cause, blocker: blocker?.file ?? blocker?.driver ?? null };
  const before = position - 1;
  const stretches = lanes.find((lane) => lane.id === inTheWay)?.stretches ?? [];
  const stretch = stretches.find(({ from, to }) => from <= before && before < to);
  if (stretch === undefined) return { ...instant, annotations };
  const flow = position + 1;
  flows.set(stretch, [...(flows.get(stretch) ?? []), flow]);
  return { ...instant, annotations, flowsTo: [flow] };
}
