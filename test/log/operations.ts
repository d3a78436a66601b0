/**
 * Operations of several events, which tell of themselves whose they are and whether they are whole.
 *
 * @module
 */
import type { LedgerEvent } from '../../events/vocabulary.ts';
import type { RecordedEvent, Store } from '../../log/store.ts';

/** The stream that they are appended to. */
export const STREAM = 'host';

/** An operation as it was acknowledged, or as it was found: the place of its last event. */
export interface Place {
  /** Who appended it and its number there, as in `7.12`. */
  readonly name: string;
  readonly position: number;
  readonly hash: string;
}

/** The `n`th operation of an appender: two events or three, appended at once. */
export function operation(by: number, n: number): LedgerEvent[] {
  const size = 2 + (n % 2);
  return Array.from({ length: size }, (_, part) => ({
    id: [by, n, part, size].join('.'),
    time: null,
    type: 'process.started',
    data: { pid: (by * 100_000 + n) * 3 + part + 1, comm: 'x'.repeat(300), cgroup: null },
  }));
}

/** The operations that events are of, in order. Throws when one is not there whole. */
function operationsOf(events: readonly RecordedEvent[]): Place[] {
  const found: Place[] = [];
  for (let at = 0; at < events.length;) {
    const [by, n, , size = 1] = (events[at]?.id ?? '').split('.').map(Number);
    const whole = Array.from({ length: size }, (_, part) => [by, n, part, size].join('.'));
    const there = events.slice(at, at + size);
    const last = there.at(-1);
    if (last === undefined || there.map(({ id }) => id).join() !== whole.join()) {
      throw new Error(`half an operation at position ${at}: ${there.map(({ id }) => id).join()}`);
    }
    found.push({ name: `${by}.${n}`, position: last.position, hash: last.hash });
    at += size;
  }
  return found;
}

/** What the log holds. Throws when positions have gaps or operations are not whole. */
export async function operationsIn(store: Store): Promise<Place[]> {
  const events: RecordedEvent[] = [];
  for await (const batch of store.read(STREAM)) events.push(...batch);
  const gap = events.findIndex(({ position }, index) => position !== index);
  if (gap !== -1) throw new Error(`position ${events[gap]?.position} in the place of ${gap}`);
  return operationsOf(events);
}
