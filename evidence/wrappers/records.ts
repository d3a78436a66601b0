/**
 * Wrappers that are records with named fields: JSON of journals, containers and loggers, and logfmt.
 *
 * @module
 */
import { DATE, micros, TIME, ZONE, zoned, type Stamp } from './times.ts';
import { numberOf, type Peeled, type Wrapper } from './wrapper.ts';

/** The fields of a record. A value that is no text is null. */
export type RecordFields = ReadonlyMap<string, string | null>;

/** The names of a field, the likeliest first. */
const MESSAGE = ['MESSAGE', 'msg', 'message', 'Message', 'log', 'body', 'text', 'event'];
const ERROR = ['error', 'err', 'exception', 'cause', 'reason'];
const TIMES = ['time', 'ts', '@timestamp', 'timestamp', 'Timestamp', 'datetime', 'T', 't'];
const PIDS = ['_PID', 'SYSLOG_PID', 'pid', 'process.pid'];
/** What a message is about, if it does not say it itself. */
const ABOUT = ['path', 'file', 'device', 'group'];

/** JSON that is one record: journalctl -o json, docker's json-file, zap, logrus, pino, zerolog. */
export const inJson: Wrapper = (line) => {
  if (!line.startsWith('{')) return null;
  const end = line.lastIndexOf('}') + 1;
  let value: unknown;
  try {
    value = JSON.parse(line.slice(0, end));
  } catch {
    return null;
  }
  return peeledRecord(textsOf(value as Readonly<Record<string, unknown>>));
};

const pair =
  /(?:^|\s)(?<key>[\w.@-]{1,64})=(?:"(?<quoted>(?:[^"\\]|\\.){0,65536})"|(?<bare>[^\s"]{0,4096}))/g;

/** Pairs of name and value, of which one is the message. */
export const inLogfmt: Wrapper = (line) => {
  if (!/^[\w.@-]{1,64}=/.test(line) || !/\b(?:msg|message)=/.test(line)) return null;
  if (!/(?:^|\s)(?:time|ts|t|level|lvl|severity)=/.test(line)) return null;
  const fields = new Map<string, string>();
  for (const { groups } of line.matchAll(pair)) {
    const { key = '', quoted, bare = '' } = groups ?? {};
    if (!fields.has(key)) fields.set(key, quoted?.replace(/\\(["\\])/g, '$1') ?? bare);
  }
  return peeledRecord(fields);
};

/** What a record says of its message, and who wrote it. Null if it has no message. */
export function peeledRecord(fields: RecordFields): Peeled | null {
  const text = first(fields, MESSAGE);
  const errors = ERROR.flatMap((key) => fields.get(key) ?? []);
  const inner = statement(text, errors, fields);
  if (inner === null) return null;
  const isJournal = fields.has('MESSAGE');
  const stamp = stampOf(fields);
  const pid = numberOf(first(fields, PIDS));
  const name = isJournal ? (first(fields, ['SYSLOG_IDENTIFIER', '_COMM']) ?? null) : null;
  const host = first(fields, ['_HOSTNAME', 'hostname', 'host']);
  const boot = first(fields, ['_BOOT_ID']);
  const kernel = fields.get('_TRANSPORT') === 'kernel' || name === 'kernel';
  return {
    inner,
    ...(stamp !== null && { stamp }),
    ...((pid !== null || name !== null) && !kernel && { pid, name }),
    ...(isJournal && { kernel }),
    ...(host !== null && { host }),
    ...(boot !== null && { boot }),
  };
}

/** A field that names the device that a record is about. */
const DEVICES = /^(?:device|dev|bdf|pci|hostdev|(?:pci_?)?addr(?:ess)?|pci_?(?:id|device|dev))$/i;
const bdf = /^[\da-f]{4,8}:[\da-f]{2}:[01][\da-f]\.[0-7]$/i;

/** The message with its error, and with the device that it is about, if it does not name it. */
function statement(
  text: string | null,
  errors: readonly string[],
  fields: RecordFields,
): string | null {
  const whole = sentence(text, errors, fields);
  if (whole === null) return null;
  const devices = Array.from(fields, ([key, value]) =>
    DEVICES.test(key) && value !== null && bdf.test(value) ? value : null,
  ).filter((device) => device !== null);
  const [only, ...others] = new Set(devices);
  const isNamed = only === undefined || others.length > 0 || whole.includes(only);
  return isNamed ? whole : `${whole} for device ${only}`;
}

/** The message, with the error that it is about, and what it is about. */
function sentence(
  text: string | null,
  errors: readonly string[],
  fields: RecordFields,
): string | null {
  if (text === null && errors.length === 0) return null;
  const message = (text ?? '').replace(/\r?\n$/, '');
  const more = errors.filter((error) => !message.includes(error));
  if (more.length === 0) return message;
  const about = ABOUT.flatMap((key) => fields.get(key) ?? []);
  const named = about.filter(
    (name) => !bdf.test(name) && ![message, ...more].some((part) => part.includes(name)),
  );
  const whole = [message, ...named].filter((part) => part !== '').join(' ');
  return [whole, ...more].filter((part) => part !== '').join(': ');
}

function first(fields: RecordFields, keys: readonly string[]): string | null {
  const key = keys.find((name) => fields.get(name) != null);
  return key === undefined ? null : (fields.get(key) ?? null);
}

const written = new RegExp(String.raw`^${DATE}[T ]${TIME} ?${ZONE}?$`);

/** The time of a record: of a journal in microseconds, else a date or an epoch. */
function stampOf(fields: RecordFields): Stamp | null {
  const journal = fields.get('__REALTIME_TIMESTAMP') ?? fields.get('_SOURCE_REALTIME_TIMESTAMP');
  if (journal != null && /^\d{1,16}$/.test(journal)) return { clock: 'wall', at: Number(journal) };
  const text = first(fields, TIMES);
  if (text === null) return null;
  const groups = written.exec(text)?.groups;
  if (groups !== undefined) return zoned(groups);
  const [, second, fraction] = /^(\d{1,19})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  if (second === undefined) return null;
  // The digits tell the unit: seconds, milliseconds, microseconds or nanoseconds since 1970.
  const unit = [10, 13, 16, 19].indexOf(second.length);
  if (unit < 0) return null;
  const whole = second.slice(0, 10);
  return {
    clock: 'wall',
    at: micros({ second: whole, fraction: second.slice(10) + (fraction ?? '') }),
  };
}

/** The fields of a JSON object, those of its objects included. */
function textsOf(value: Readonly<Record<string, unknown>>): Map<string, string | null> {
  const fields = new Map<string, string | null>();
  for (const [key, field] of Object.entries(value)) {
    fields.set(key, textOf(field));
    if (typeof field !== 'object' || field === null || Array.isArray(field)) continue;
    for (const [inner, one] of Object.entries(field)) {
      fields.set(`${key}.${inner}`, textOf(one));
      if (!fields.has(inner) && !(inner in value)) fields.set(inner, textOf(one));
    }
  }
  return fields;
}

/** A journal writes a text that is not plain as an array of bytes. */
function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return `${value}`;
  if (!Array.isArray(value)) return null;
  const isBytes = value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256);
  return isBytes && value.length > 0 ? Buffer.from(value as number[]).toString('utf8') : null;
}
