/**
 * Events as they were recorded: a row of columns for people, an object in fixed order for programs.
 *
 * @module
 */
import type { RecordedEvent } from '../ledger.ts';
import type { Cell } from './columns.ts';
import { word } from './printable.ts';

/** The keys of an event in the order in which they are printed. */
export function eventJson(event: RecordedEvent): string {
  const { position, time, id, schema, type, data, hash, ...more } = event;
  return JSON.stringify({ position, time, id, schema, type, data, hash, ...more });
}

/** Position, time, type and data; a refusal stands out. */
export function eventRow(event: RecordedEvent): Cell[] {
  const { position, time, type } = event;
  const tone = type === 'operation.refused' ? 'refusal' : 'plain';
  return [String(position), time ?? '-', { text: type, tone }, dataWords(event)];
}

/** The data as `key=value`; of a refusal the operation and the errno as themselves. */
function dataWords({ type, data }: RecordedEvent): string {
  const pairs = Object.entries(data).filter(([, value]) => value !== undefined);
  if (type !== 'operation.refused') return pairs.map(pair).join(' ');
  const rest = pairs.filter(([key]) => key !== 'operation' && key !== 'errno');
  return [data.operation, ...rest.map(pair), data.errno].join(' ');
}

/** One `key=value`. */
export function pair([key, value]: [string, unknown]): string {
  return `${key}=${word(value)}`;
}
