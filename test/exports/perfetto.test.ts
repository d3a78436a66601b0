import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { perfettoTrace } from '../../exports/perfetto.ts';
import { openLedger, type Ledger } from '../../ledger.ts';
import { countOf } from '../support/effort.ts';
import { hostileLogs, hostileNames } from '../support/hostile-names.ts';
import { anyLog } from '../support/random-logs.ts';

/** What we use of the messages of Perfetto (protos/perfetto/trace). */
const { root } = protobuf.parse(
  `syntax = "proto2";
  message Trace { repeated TracePacket packet = 1; }
  message TracePacket {
    optional ClockSnapshot clock_snapshot = 6;
    optional uint64 timestamp = 8;
    optional uint32 trusted_packet_sequence_id = 10;
    optional TrackEvent track_event = 11;
    optional TrackDescriptor track_descriptor = 60;
  }
  message ClockSnapshot { repeated Clock clocks = 1; }
  message Clock { optional uint32 clock_id = 1; optional uint64 timestamp = 2; }
  message TrackDescriptor {
    optional uint64 uuid = 1;
    optional string name = 2;
    optional uint64 parent_uuid = 5;
    optional uint32 child_ordering = 11;
    optional int32 sibling_order_rank = 12;
  }
  message TrackEvent {
    repeated DebugAnnotation debug_annotations = 4;
    optional uint32 type = 9;
    optional uint64 track_uuid = 11;
    repeated string categories = 22;
    optional string name = 23;
    repeated fixed64 flow_ids = 47 [packed = false];
    repeated fixed64 terminating_flow_ids = 48 [packed = false];
  }
  message DebugAnnotation {
    optional uint64 uint_value = 3;
    optional string string_value = 6;
    optional string name = 10;
  }`,
  { keepCase: true },
);

interface Packet {
  readonly clock_snapshot?: { readonly clocks: readonly { readonly timestamp: string }[] };
  readonly timestamp?: string;
  readonly track_descriptor?: {
    readonly uuid: string;
    readonly name: string;
    readonly parent_uuid?: string;
  };
  readonly track_event?: {
    readonly type: number;
    readonly track_uuid: string;
    readonly name?: string;
    readonly categories?: readonly string[];
    readonly flow_ids?: readonly string[];
    readonly terminating_flow_ids?: readonly string[];
  };
}

/**
 * Decodes a message by the fields of its type, without code from strings, which the tests do not allow.
 * Throws for a field that the type does not have, or that has another wire type.
 */
function decoded(type: protobuf.Type, reader: protobuf.Reader, end: number) {
  const found: Record<string, unknown> = {};
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = type.fieldsById[tag >>> 3]?.resolve();
    if (field === undefined) throw new Error(`${type.name} has no field ${tag >>> 3}`);
    expect(tag & 7).toBe((protobuf.types.basic as Record<string, number>)[field.type] ?? 2);
    const value = valueOf(field, reader);
    if (field.repeated) found[field.name] = [...((found[field.name] as unknown[]) ?? []), value];
    else found[field.name] = value;
  }
  expect(reader.pos).toBe(end);
  return found;
}

function valueOf(field: protobuf.Field, reader: protobuf.Reader): unknown {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Type) {
    const length = reader.uint32();
    return decoded(resolvedType, reader, reader.pos + length);
  }
  switch (field.type) {
    case 'string':
      return reader.string();
    case 'uint64':
      return exactly(reader.uint64());
    case 'fixed64':
      return exactly(reader.fixed64());
    default:
      return reader.uint32();
  }
}

/** A number of 64 bits, without loss. */
function exactly(value: Parameters<typeof protobuf.util.LongBits.from>[0]): string {
  const { lo, hi } = protobuf.util.LongBits.from(value);
  return String((BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0));
}

function packetsOf(ledger: Ledger): readonly Packet[] {
  const bytes = Buffer.concat([...perfettoTrace(ledger, 'host')]);
  const trace = decoded(root.lookupType('Trace'), protobuf.Reader.create(bytes), bytes.length);
  return (trace['packet'] ?? []) as readonly Packet[];
}

/** The times of some events of a log, as text. */
const someTimes = fc.option(
  fc.array(fc.option(fc.integer({ min: 0, max: 1000 })), { minLength: 1, maxLength: 20 }),
);

const anyLedger = fc.tuple(anyLog, someTimes).map(([log, some]) => async (): Promise<Ledger> => {
  const ledger = await openLedger(':memory:');
  let last = 0;
  const events = log.map(({ type, data, id }, index) => {
    const pause = some?.[index % some.length] ?? null;
    if (pause === null) return { type, data, id, time: null };
    last += pause;
    const second = String(Math.floor(last / 1_000_000) % 60).padStart(2, '0');
    const micros = String(last % 1_000_000).padStart(6, '0');
    return { type, data, id, time: `2026-12-01T00:00:${second}.${micros}Z` };
  });
  await ledger.append(-1, events as never);
  return ledger;
});

function checkTrace(ledger: Ledger, packets: readonly Packet[]): void {
  const tracks = new Map(
    packets.flatMap(({ track_descriptor: track }) => (track ? [[track.uuid, track] as const] : [])),
  );
  const events = packets.flatMap(({ timestamp, track_event: event }) => {
    return event === undefined ? [] : [{ ...event, time: BigInt(timestamp ?? 0) }];
  });
  for (const { parent_uuid } of tracks.values()) {
    if (parent_uuid !== undefined) expect(tracks.has(parent_uuid)).toBe(true);
  }
  const open = new Map<string, number>();
  const begun = new Map<string, bigint>();
  let last = 0n;
  for (const event of events) {
    const { type, track_uuid: track, time } = event;
    expect(tracks.has(track)).toBe(true);
    expect(time >= last).toBe(true);
    last = time;
    const depth = (open.get(track) ?? 0) + (type === 1 ? 1 : type === 2 ? -1 : 0);
    expect([0, 1]).toContain(depth);
    open.set(track, depth);
    for (const flow of event.flow_ids ?? []) {
      expect(begun.has(flow)).toBe(false);
      begun.set(flow, time);
    }
    for (const flow of event.terminating_flow_ids ?? []) {
      expect(begun.get(flow)! < time).toBe(true);
      begun.delete(flow);
    }
  }
  expect([...open.values()].every((depth) => depth === 0)).toBe(true);
  expect(begun.size).toBe(0);
  const refusals = events.filter(({ categories }) => categories?.[0] === 'refusal');
  expect(refusals).toHaveLength(ledger.log({ refused: true }).length);
}

describe('a Perfetto trace', () => {
  test('is balanced, its times ascend, and its arrows are closed', async () => {
    const check = async (open: () => Promise<Ledger>) => {
      await using ledger = await open();
      const packets = packetsOf(ledger);
      checkTrace(ledger, packets);
      const intervals = ledger
        .lanes({ atMost: ledger.length + 3 })
        .flatMap(({ stretches }) => stretches)
        .filter(({ state, owner }) => state !== 'absent' || owner !== null);
      const begins = packets.filter(({ track_event }) => track_event?.type === 1);
      expect(begins).toHaveLength(intervals.length);
      expect(packets.some(({ clock_snapshot }) => clock_snapshot)).toBe(ledger.isTimed);
    };
    await fc.assert(fc.asyncProperty(anyLedger, check), {
      numRuns: countOf('perfetto', { test: 25, soak: 1000 }),
    });
  });

  test('has names only as texts', async () => {
    for (const events of hostileLogs(hostileNames)) {
      await using ledger = await openLedger(':memory:');
      await ledger.append(-1, events);
      checkTrace(ledger, packetsOf(ledger));
    }
  });

  test('shows by an arrow who was in the way', async () => {
    await using ledger = await openLedger(':memory:');
    const devices = [
      { name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' },
      { name: 'audio', bdf: '0000:3b:00.1', group: 26, driver: 'vfio-pci', cdev: 'vfio1' },
    ];
    const scenario = `
      open_iommufd I
      open_cdev A gpu
      bind A I
      @P2 open_iommufd J
      @P2 open_cdev B audio
      @P2 bind B J`;
    const topology = { kernel: '7.3.4', iommufd: true, devices };
    await ledger.simulate(scenario, { topology, profile: 'linux-7.3' });
    const events = packetsOf(ledger).flatMap(({ track_event }) => track_event ?? []);
    const refusal = events.find(({ terminating_flow_ids: flows }) => flows !== undefined);
    const blocker = events.find(({ flow_ids: flows }) => flows !== undefined);
    expect(refusal?.name).toContain('EPERM');
    expect(blocker?.name).toMatch(/^bound: iommufd f\d+$/);
    expect(blocker?.flow_ids).toEqual(refusal?.terminating_flow_ids);
  });
});
