/**
 * The interface of a log for the code that appends to it; `Ledger` implements it.
 *
 * @module
 */
import type { LedgerEvent, EventType } from '../events/vocabulary.ts';
import type { AppendResult, RecordedEvent } from '../log/store.ts';
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
  /** All events, or those of a type. */
  each(type?: EventType): Iterable<RecordedEvent>;
  /** Those of the ids that are in the log. */
  known(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** A new host after a position, which takes events without recording them. */
  suppose(position: number): SupposedHost;
}

/** Whether an event is the boot of a simulated host. */
export function isSimulated(event: RecordedEvent): boolean {
  return event.type === 'host.booted' && event.data.simulated;
}
