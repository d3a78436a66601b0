/**
 * Selects the events that evidence adds to a log.
 *
 * @module
 */
import type { LedgerEvent } from '../events/vocabulary.ts';
import type { Collected } from './collected.ts';
import { EvidenceError } from './importer.ts';

/** What the log already holds of a host. */
export interface Known {
  readonly host: string;
  readonly ids: ReadonlySet<string>;
  /** The time of the last event that has one, or null. */
  readonly last: string | null;
}

/**
 * The events that the log does not hold yet.
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
  return fresh;
}

/** The result of an import. */
export interface ImportReport extends Omit<Collected, 'events'> {
  /** The number of events appended. */
  readonly appended: number;
  /** The number of events that were in the log already. */
  readonly skipped: number;
}
