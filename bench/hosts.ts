/**
 * The hosts that figures are taken on, as histories of any length.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Evidence } from '../events/evidence.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import { readEvidence } from '../ledger.ts';
import { LEAKING } from './host/others.ts';
import { hostHistory } from './host.ts';

/**
 * `whole`: the boot and all processes of a busy host were recorded. `boot unseen`: a trace of most
 * processes of that host, which booted before the trace began. `short boots`: the recorded answers
 * of a kernel, again and again, a boot for every few dozen events.
 */
export const hostKinds = ['whole', 'boot unseen', 'short boots'] as const;
export type HostKind = (typeof hostKinds)[number];

const RECORDING = new URL('../test/truth/linux-7.3/flows.jsonl.gz', import.meta.url);
const TRACE = 'host.strace';
const TRACE_ID = 'begun';

/** The first so many events of a host of that kind: the same every time, each id once. */
export async function historyOf(kind: HostKind, count: number): Promise<Iterable<LedgerEvent>> {
  switch (kind) {
    case 'whole':
      return hostHistory(count);
    case 'boot unseen':
      return first(count, tracedHistory());
    case 'short boots': {
      const recorded = await recordedEvents();
      return first(count, repeated(recorded));
    }
  }
}

/** The first so many events of a host of that kind, `size` at a time. */
export async function* batchesOf(
  kind: HostKind,
  count: number,
  size: number,
): AsyncGenerator<readonly LedgerEvent[]> {
  let batch: LedgerEvent[] = [];
  for (const event of await historyOf(kind, count)) {
    batch.push(event);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function* first(count: number, events: Iterable<LedgerEvent>): Generator<LedgerEvent> {
  let given = 0;
  for (const event of events) {
    if (given++ === count) return;
    yield event;
  }
}

/**
 * What an importer makes of a trace: the boot and the devices are assumed, everything else is a line
 * of the trace. Processes that inherited files and never execute anything are not traced.
 */
function* tracedHistory(): Generator<LedgerEvent> {
  const untraced = new Set<number>();
  let line = 0;
  for (const event of hostHistory(Infinity, 1, Infinity)) {
    const { type, data } = event;
    if (type === 'host.booted') {
      const boot = { boot: 'unseen', kernel: 'unknown', profile: 'linux-7.3', iommufd: true };
      const seen = { ...boot, simulated: false, evidence: assumed('no-boot-seen') };
      yield { ...event, data: seen };
      yield begun(event.time);
    } else if (type === 'device.added' && line === 0) {
      yield { ...event, data: { ...data, evidence: assumed('as-the-topology-says') } };
    } else if (type === 'process.forked' && data.comm === LEAKING) {
      untraced.add(data.child);
    } else if (type === 'process.exited' && untraced.delete(data.pid)) {
      continue;
    } else {
      const evidence: Evidence = { source: TRACE, line: ++line, certainty: 'observed' };
      yield { ...event, data: { ...data, evidence } } as LedgerEvent;
    }
  }
}

function begun(time: string | null): LedgerEvent {
  const clock = { clock: 'wall', zero: '1970-01-01T00:00:00.000000Z', after: null } as const;
  const evidence: Evidence = { source: TRACE, line: 1, certainty: 'observed' };
  const data = { source: TRACE, format: 'strace', ...clock, evidence };
  return { id: TRACE_ID, time, type: 'evidence.begun', data };
}

function assumed(rule: string): Evidence {
  return { source: TRACE, line: null, certainty: 'assumed', rule };
}

async function recordedEvents(): Promise<readonly LedgerEvent[]> {
  const chunks = [gunzipSync(readFileSync(RECORDING)).toString()];
  return (await readEvidence([{ name: 'flows', chunks }])).events.all();
}

function* repeated(events: readonly LedgerEvent[]): Generator<LedgerEvent> {
  for (let number = 0; ;) for (const event of events) yield { ...event, id: `e${number++}` };
}
