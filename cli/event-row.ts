/**
 * Events as they were recorded: a row of columns for people, an object in fixed order for programs.
 *
 * @module
 */
import type { Evidence } from '../events/vocabulary.ts';
import type { RecordedEvent } from '../ledger.ts';
import type { Cell } from './columns.ts';
import { printable, word } from './printable.ts';

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

/** The data as `key=value`; of a refusal the operation and the errno as themselves. */
function dataWords({ type, data }: RecordedEvent): string {
  const pairs = Object.entries(data).filter(
    ([key, value]) => value !== undefined && key !== 'evidence',
  );
  const seen = data.evidence === undefined ? [] : [evidenceWords(data.evidence)];
  if (type !== 'operation.refused') return [...pairs.map(pair), ...seen].join(' ');
  const rest = pairs.filter(([key]) => key !== 'operation' && key !== 'errno');
  return [data.operation, ...rest.map(pair), data.errno, ...seen].join(' ');
}

/** Where an event was seen, and by which rule where nobody saw it: `[trace.txt:13, inferred: …]`. */
function evidenceWords({ source, line, certainty, rule }: Evidence): string {
  const place = line === null ? source : `${source}:${line}`;
  const how = certainty === 'observed' && rule === undefined ? '' : `, ${certainty}`;
  return printable(`[${place}${how}${rule === undefined ? '' : `: ${rule}`}]`);
}

/** One `key=value`. */
export function pair([key, value]: [string, unknown]): string {
  return `${key}=${word(value)}`;
}
