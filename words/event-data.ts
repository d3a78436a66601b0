/**
 * The data of an event as answers show it, and as `key=value`; and where the event was seen.
 *
 * @module
 */
import type { Evidence, Fact } from '../events/vocabulary.ts';
import { KERNEL_PID } from '../processes/process-table.ts';

/** `pid=101 fd=4`; of a refusal, operation and errno stand without a key. */
export function dataWords(event: Fact): string {
  const { type, data } = eventShown(event);
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
  return `[${place}${how}${rule === undefined ? '' : `: ${rule}`}]`;
}

/** A value as one word; quoted if it has blanks or would read as null, a boolean or `key=value`. */
export function word(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const plain = /^[^\s"=]+$/u.test(value) && !/^(null|true|false)$/.test(value);
  return plain ? value : JSON.stringify(value);
}

/** One `key=value`; a process that no line names is `?`. */
export function pair([key, value]: [string, unknown]): string {
  const isUnnamed = value === null && pidKeys.some((pid) => pid === key);
  return `${key}=${isUnnamed ? '?' : word(value)}`;
}

/**
 * An event as answers show it. The log gives a process that no line names, and the kernel, an id in
 * the place of a pid: it is null here.
 */
export function eventShown<E extends Fact>(event: E): E {
  const data = event.data as unknown as Readonly<Record<string, unknown>>;
  const ids = pidKeys.filter((key) => Number(data[key]) >= KERNEL_PID && isPid(event, key));
  if (ids.length === 0) return event;
  return { ...event, data: { ...data, ...Object.fromEntries(ids.map((key) => [key, null])) } };
}

const pidKeys = ['pid', 'child', 'to'] as const;

/** `to` is a position or a descriptor, except where a descriptor is passed to a process. */
function isPid({ type }: Fact, key: string): boolean {
  return key !== 'to' || type === 'descriptor.passed';
}
