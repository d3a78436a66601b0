/**
 * Reads the records that a bpftrace script prints: JSON, except that strings are not escaped.
 *
 * @module
 */
import { EvidenceError } from '../importer.ts';

/** A record of one probe. */
export interface BpfRecord {
  /** Microseconds since the boot of the host. */
  readonly at: number;
  readonly pid: number;
  readonly tid: number;
  readonly comm: string;
  readonly ev: string;
  /** A path, or the name of a device. */
  readonly text: string | null;
  readonly driver: string | null;
  /** The number of a key; null if it is missing. */
  number(key: string): number | null;
  /** The number of a key. Throws `EvidenceError` if it is missing. */
  required(key: string): number;
  /** The address of a `struct file`. */
  readonly file: string | null;
}

/** A `comm` has up to 15 bytes, which may look like the keys after it. */
const form =
  /^\{"t":(\d{1,20}),"pid":(-?\d{1,10}),"tid":(-?\d{1,10}),"comm":"([^]{0,15})","ev":"(\w{1,32})"([^]*)\}$/;
const text = /,"(?:path|dev)":"/;
const driver = /,"driver":"([^"]{0,64})"/;
const fields = /,"(\w+)":(?:(-?\d{1,20})|"(?:0x)?([\da-f]{1,16})")/g;

/** Reads a record. Throws `EvidenceError`. */
export function recordIn(line: string): BpfRecord {
  const found = form.exec(line);
  if (found === null) throw new EvidenceError('not a record of the probes');
  const [, nanoseconds, pid, tid, comm = '', ev = '', rest = ''] = found;
  const { string, others } = apart(rest);
  const values = new Map<string, string>();
  for (const [, key = '', decimal, digits] of others.matchAll(fields)) {
    values.set(key, decimal ?? `0x${digits}`);
  }
  const number = (key: string) => {
    const value = values.get(key);
    return value === undefined ? null : Number(value);
  };
  return {
    at: Math.floor(Number(nanoseconds) / 1000),
    pid: Number(pid),
    tid: Number(tid),
    comm,
    ev,
    text: string,
    driver: driver.exec(others)?.[1] ?? null,
    number,
    required(key) {
      const value = number(key);
      if (value === null) throw new EvidenceError(`${ev} without a '${key}'`);
      return value;
    },
    file: values.get('file') ?? null,
  };
}

/** Splits off the text of a record. It is the last field, or the one before it. */
function apart(rest: string): { string: string | null; others: string } {
  const key = text.exec(rest);
  if (key === null) return { string: null, others: rest };
  const from = key.index + key[0].length;
  const end = rest.endsWith('"') ? rest.length - 1 : rest.lastIndexOf('","');
  if (end < from) throw new EvidenceError('the record breaks off');
  return { string: rest.slice(from, end), others: rest.slice(0, key.index) + rest.slice(end + 1) };
}
