/**
 * Events as they were recorded: a row of columns for people, an object in fixed order for programs.
 *
 * @module
 */
import type { RecordedEvent } from '../ledger.ts';
import type { Cell } from '../words/columns.ts';
import { dataWords } from '../words/event-data.ts';

/** The keys of an event in the order in which they are printed. */
export function eventJson(event: RecordedEvent): string {
  const { position, time, id, schema, type, data, hash, ...more } = event;
  return JSON.stringify({ position, time, id, schema, type, data, hash, ...more });
}

/** Position, time, type and data, and where it was seen if not by us; a refusal stands out. */
export function eventRow(event: RecordedEvent): Cell[] {
  const { position, time, type } = event;
  const tone = type === 'operation.refused' ? 'refusal' : 'plain';
  return [String(position), time ?? '-', { text: type, tone }, dataWords(event)];
}
