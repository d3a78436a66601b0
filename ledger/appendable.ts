/**
 * The interface of a log for the code that appends to it; `Ledger` implements it.
 *
 * @module
 */
import type { LedgerEvent, EventType } from '../events/vocabulary.ts';
import type { AppendResult, RecordedEvent, RevisionConflictError } from '../log/store.ts';
import type { SupposedHost } from '../machines/host-at.ts';

/** A log that has been read up to `head`. */
export interface Appendable {
  readonly host: string;
  readonly head: { readonly position: number; readonly hash: string };
  /** See `Store.append`. */
  append(expected: number, events: readonly LedgerEvent[]): Promise<AppendResult>;
  /** Reads the events that were appended after `head`. */
  refresh(): Promise<void>;
  event(position: number): RecordedEvent | undefined;
  /** The time of the last event that has one, or null. */
  readonly lastTime: string | null;
  /** The position of the last event whose time is at or before an instant, or null. */
  lastUntil(instant: string): number | null;
  /** All events, or those of a type. */
  each(type?: EventType): Iterable<RecordedEvent>;
  /** Those of the ids that are in the log. */
  known(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** A new host after a position, which takes events without recording them. */
  suppose(position: number): SupposedHost;
}

/**
 * Reads what another writer has appended first. Throws the conflict if that is nothing: a retry would
 * never end.
 */
export async function catchUp(log: Appendable, conflict: RevisionConflictError): Promise<void> {
  await log.refresh();
  if (log.head.position === conflict.expected) throw conflict;
}

/** Events without a time between two that have one. More of them are not looked through. */
const MOST_UNTIMED = 4096;

/** The events with a time from one instant to another. */
export function* eventsAround(
  log: Pick<Appendable, 'lastUntil' | 'event'>,
  from: string,
  to: string,
): Generator<RecordedEvent> {
  let untimed = 0;
  for (let position = log.lastUntil(to) ?? -1; position >= 0; position--) {
    const event = log.event(position);
    if (event === undefined || untimed > MOST_UNTIMED) return;
    if (event.time === null) {
      untimed++;
      continue;
    }
    untimed = 0;
    if (event.time < from) return;
    yield event;
  }
}
