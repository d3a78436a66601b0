/**
 * Selects the events that evidence adds to a log.
 *
 * @module
 */
import type { LedgerEvent } from '../events/vocabulary.ts';
import type { Rejected } from './collected.ts';
import { EvidenceError } from './importer.ts';
import type { SeenCounts } from './messages/seen.ts';

/** What the log already holds of a host. */
export interface Known {
  readonly host: string;
  readonly ids: ReadonlySet<string>;
  /** The time of the last event; null if it has none. */
  readonly last: string | null;
}

/**
 * The events that the log does not hold yet. An event without a time gets the nearest earlier one.
 *
 * Throws `EvidenceError` if the new events begin before the last event of the log.
 */
export function newEvents(events: readonly LedgerEvent[], known: Known): LedgerEvent[] {
  const fresh = events.filter(({ id }) => !known.ids.has(id));
  const begins = fresh.find(({ time }) => time !== null)?.time ?? null;
  if (begins !== null && known.last !== null && begins < known.last) {
    throw new EvidenceError(
      `the evidence begins at ${begins}, before the last event of host '${known.host}' ` +
        `(${known.last}): import both into a new log`,
    );
  }
  let last = known.last;
  return fresh.map((event) => {
    last = event.time ?? last;
    return { ...event, time: last };
  });
}

/** The result of an import. */
export interface ImportReport {
  /** The number of lines read. */
  readonly read: number;
  /** The number of events appended. */
  readonly appended: number;
  /** The number of events that were in the log already. */
  readonly skipped: number;
  /** The number of lines that the reader of their format could not interpret. */
  readonly unknown: number;
  /** The number of lines of which no reader took anything. */
  readonly passedOver: number;
  /** The number of statements in messages and listings, by kind. */
  readonly seen: SeenCounts;
  /** The lines that could not be read, up to a limit; `rejectedCount` is the number of all. */
  readonly rejected: readonly Rejected[];
  readonly rejectedCount: number;
}
