/**
 * Reads the events of a store into a timeline, and those that are appended later.
 *
 * @module
 */
import { textGiven } from '../events/given.ts';
import { RequestError } from '../events/ledger-error.ts';
import { type RecordedEvent, type Store, StoreUnavailableError } from '../log/store.ts';
import type { Timeline } from '../projections/timeline.ts';

interface LogReading {
  readonly store: Store;
  readonly host: string;
  readonly timeline: Timeline;
  /** The position of the last event to read. */
  readonly until?: number | undefined;
  /** Called after each batch with the number of events in the timeline. */
  readonly progress?: ((read: number) => void) | undefined;
}

/** Reads the events after the head of the timeline. Rejects with `damaged` or `unavailable`. */
export async function readOn(reading: LogReading): Promise<void> {
  const { store, host, timeline, until = Infinity, progress } = reading;
  if (timeline.head >= until) return;
  for await (const events of store.read(host, { from: timeline.head + 1 })) {
    take(reading, events);
    // Later events may be damaged, and are not needed.
    if (timeline.head >= until) return;
    progress?.(timeline.head - timeline.first + 1);
  }
  await settle(reading);
}

/** A batch of so many events has others after it, most likely: all that are there are read at once. */
const MANY = 256;

/**
 * Reads the events after the head of the timeline as they are appended, and yields their number each
 * time. Ends when the signal aborts. Rejects as `Store.follow` does.
 */
export async function* readLive(reading: LogReading, signal: AbortSignal): AsyncGenerator<number> {
  if (!(signal instanceof AbortSignal)) {
    throw new RequestError(`tail takes an AbortSignal, not '${textGiven(signal)}'`);
  }
  const { store, host, timeline, until = Infinity } = reading;
  if (timeline.head >= until) return;
  for await (const events of store.follow(host, timeline.head + 1, signal)) {
    const before = timeline.head;
    take(reading, events);
    if (timeline.head < until) await settle(reading);
    if (events.length >= MANY) await readRest(reading);
    if (timeline.head > before) yield timeline.head - before;
    if (timeline.head >= until) return;
  }
}

/** As `readOn`. If a server is away, what is left comes later. */
async function readRest(reading: LogReading): Promise<void> {
  try {
    await readOn(reading);
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
  }
}

/** Takes events that the timeline does not have yet. */
function take({ timeline, until = Infinity }: LogReading, events: readonly RecordedEvent[]): void {
  for (const event of events) {
    if (event.position > timeline.head && event.position <= until) timeline.take(event);
  }
}

async function settle({ timeline, store }: LogReading): Promise<void> {
  timeline.settle();
  timeline.missing = await store.missing();
}
