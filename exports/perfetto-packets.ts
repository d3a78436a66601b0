/**
 * The packets of a Perfetto trace: tracks, and the events on them (protos/perfetto/trace/trace_packet.proto
 * and track_event/*.proto of github.com/google/perfetto, whose field numbers these are).
 *
 * @module
 */
import { fixed64, message, nested, string, uint } from './protobuf.ts';

/** All packets come from one writer. */
const SEQUENCE = 1;
/** TrackEvent.Type */
const types = { begin: 1, end: 2, instant: 3 } as const;
/** TrackDescriptor.ChildTracksOrdering */
const EXPLICIT = 3;
/** BuiltinClock */
const [REALTIME, BOOTTIME] = [1, 6];

/** A track; `id` is above 0, `parent` that of the track which it stands below. */
export interface PerfettoTrack {
  readonly id: number;
  readonly name: string;
  readonly parent: number | null;
  /** Its place among the tracks below its parent. */
  readonly rank: number;
}

/** An event on a track; `time` in nanoseconds. */
export interface PerfettoEvent {
  readonly type: keyof typeof types;
  readonly track: number;
  readonly time: bigint;
  /** None for an end. */
  readonly name?: string;
  readonly category?: string;
  readonly annotations?: Readonly<Record<string, string | number | null>>;
  /** Numbers of the arrows that begin here, and of those that end here. */
  readonly flowsFrom?: readonly number[];
  readonly flowsTo?: readonly number[];
}

export function trackPacket({ id, name, parent, rank }: PerfettoTrack): Uint8Array {
  const descriptor = message([
    uint(1, id),
    string(2, name),
    ...(parent === null ? [] : [uint(5, parent)]),
    uint(11, EXPLICIT),
    uint(12, rank),
  ]);
  return packet([nested(60, descriptor)]);
}

export function eventPacket(event: PerfettoEvent): Uint8Array {
  const {
    type,
    track,
    time,
    name,
    category,
    annotations = {},
    flowsFrom = [],
    flowsTo = [],
  } = event;
  const body = message([
    uint(9, types[type]),
    uint(11, track),
    ...(name === undefined ? [] : [string(23, name)]),
    ...(category === undefined ? [] : [string(22, category)]),
    ...Object.entries(annotations).flatMap(([key, value]) => {
      return value === null ? [] : [nested(4, annotation(key, value))];
    }),
    ...flowsFrom.map((flow) => fixed64(47, flow)),
    ...flowsTo.map((flow) => fixed64(48, flow)),
  ]);
  return packet([uint(8, time), nested(11, body)]);
}

/** Says that the clock of the events is that of the wall, in nanoseconds since 1970. */
export function clockPacket(time: bigint): Uint8Array {
  const clocks = [BOOTTIME, REALTIME].map((id) => nested(1, message([uint(1, id), uint(2, time)])));
  return packet([uint(8, time), nested(6, message(clocks))]);
}

function annotation(name: string, value: string | number): Uint8Array {
  return message([string(10, name), typeof value === 'string' ? string(6, value) : uint(3, value)]);
}

/** A packet as a field of the trace. */
function packet(fields: readonly Uint8Array[]): Uint8Array {
  return nested(1, message([...fields, uint(10, SEQUENCE)]));
}
