/**
 * What evidence adds to a log that holds some already.
 *
 * @module
 */
import type { LedgerEvent } from '../events/vocabulary.ts';
import type { Rejected } from './collect.ts';
import { EvidenceError } from './importer.ts';

/** What a log holds already. */
export interface Known {
  readonly host: string;
  readonly ids: ReadonlySet<string>;
  /** Time of the last event. */
  readonly last: string | null;
}

/**
 * The events that come after what is known: those that are there already are left out, and those
 * without a time take the nearest earlier one.
 *
 * Throws `EvidenceError` where the evidence begins before the last known event.
 */
export function sequel(events: readonly LedgerEvent[], known: Known): LedgerEvent[] {
  const fresh = events.filter(({ id }) => !known.ids.has(id));
  const begins = fresh.find(({ time }) => time !== null)?.time ?? null;
  if (begins !== null && known.last !== null && begins < known.last) {
    throw new EvidenceError(
      `it begins at ${begins}, before the last event of host '${known.host}' (${known.last}): ` +
        'import both into a new log',
    );
  }
  let last = known.last;
  return fresh.map((event) => {
    last = event.time ?? last;
    return { ...event, time: last };
  });
}

/** What became of evidence. */
export interface ImportReport {
  /** Lines read. */
  readonly read: number;
  readonly appended: number;
  /** Events that were in the log already. */
  readonly skipped: number;
  /** Lines that said something nobody understands. */
  readonly unknown: number;
  /** Lines that could not be read; of very many the first. */
  readonly rejected: readonly Rejected[];
  readonly rejectedCount: number;
}
