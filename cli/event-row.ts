/**
 * Prints an event as it was recorded: as columns for people, as JSON for programs.
 *
 * @module
 */
import type { RecordedEvent } from '../ledger.ts';
import type { Cell } from '../words/columns.ts';
import { dataWords } from '../words/event-data.ts';

/** An event as one JSON object, with its keys in a fixed order, and then those of `added`. */
export function eventJson(
  event: RecordedEvent,
  added: Readonly<Record<string, unknown>> = {},
): string {
  const { position, time, id, schema, type, data, hash, ...more } = event;
  return JSON.stringify({ position, time, id, schema, type, data, hash, ...more, ...added });
}

/** Position, time, type and data; of evidence also where it was seen. A refusal is coloured. */
export function eventRow(event: RecordedEvent): Cell[] {
  const { position, time, type } = event;
  const tone = type === 'operation.refused' ? 'refusal' : 'plain';
  return [String(position), time ?? '-', { text: type, tone }, dataWords(event)];
}
