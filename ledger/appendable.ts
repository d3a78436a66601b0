/**
 * A log that has been read, as those need it who append to it.
 *
 * @module
 */
import type { LedgerEvent, EventType } from '../events/vocabulary.ts';
import type { AppendResult, RecordedEvent } from '../log/store.ts';
import type { SupposedHost } from '../machines/host-at.ts';

/** A log that has been read, to append to. */
export interface Appendable {
  readonly host: string;
  readonly head: { readonly position: number; readonly hash: string };
  append(expected: number, events: readonly LedgerEvent[]): Promise<AppendResult>;
  /** Reads what has been appended since. */
  refresh(): Promise<void>;
  event(position: number): RecordedEvent | undefined;
  /** All events, or those of a type. */
  each(type?: EventType): Iterable<RecordedEvent>;
  /** Which of some ids are in the log already. */
  known(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** A host of its own as it stood after a position, to suppose things of. */
  suppose(position: number): SupposedHost;
}

export function isSimulated(event: RecordedEvent): boolean {
  return event.type === 'host.booted' && event.data.simulated;
}
