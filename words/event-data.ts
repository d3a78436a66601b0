/**
 * Prints the data of an event as `key=value`, and where the event was seen.
 *
 * @module
 */
import type { Evidence, Fact } from '../events/vocabulary.ts';
import { KERNEL_PID } from '../processes/process-table.ts';
import { printable, word } from './printable.ts';

/** `pid=101 fd=4`; of a refusal, operation and errno stand without a key. */
export function dataWords({ type, data }: Fact): string {
  const pairs = Object.entries(data).filter(
    ([key, value]) => value !== undefined && key !== 'evidence',
  );
  const seen = data.evidence === undefined ? [] : [evidenceWords(data.evidence)];
  if (type !== 'operation.refused') return [...pairs.map(pair), ...seen].join(' ');
  const rest = pairs.filter(([key]) => key !== 'operation' && key !== 'errno');
  const errno = data.errno === null ? [] : [data.errno];
  return [data.operation, ...rest.map(pair), ...errno, ...seen].join(' ');
}

/** Source and line, certainty and rule of inference: `[trace.txt:13, inferred: found-open]`. */
function evidenceWords({ source, line, certainty, rule }: Evidence): string {
  const place = line === null ? source : `${source}:${line}`;
  const how = certainty === 'observed' && rule === undefined ? '' : `, ${certainty}`;
  return printable(`[${place}${how}${rule === undefined ? '' : `: ${rule}`}]`);
}

/** One `key=value`; a process that no line names is `?`. */
export function pair([key, value]: [string, unknown]): string {
  const isUnnamed = key === 'pid' && (value === null || Number(value) > KERNEL_PID);
  return `${key}=${isUnnamed ? '?' : word(value)}`;
}
