/**
 * Events to append, and a stream read to its end.
 *
 * @module
 */
import type { LedgerEvent } from '../../events/vocabulary.ts';
import type { ReadOptions, RecordedEvent, Store } from '../../log/store.ts';

/** An event whose descriptor tells it from the others. */
export function closed(id: string, fd = 3, time: string | null = null): LedgerEvent {
  return { id, time, type: 'descriptor.closed', data: { pid: 100, fd } };
}

/** `count` events with the ids `e0`, `e1` and so on. */
export function closedMany(count: number, first = 0): LedgerEvent[] {
  return Array.from({ length: count }, (_, index) => closed(`e${first + index}`, first + index));
}

export async function readAll(
  store: Store,
  stream: string,
  options?: ReadOptions,
): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const batch of store.read(stream, options)) events.push(...batch);
  return events;
}
