/**
 * Records as a bpftrace script prints them: like JSON, but with strings as they are, whatever is in
 * them.
 *
 * @module
 */
import { EvidenceError } from '../importer.ts';

export interface BpfRecord {
  /** Microseconds since the host was booted. */
  readonly at: number;
  readonly pid: number;
  readonly tid: number;
  readonly comm: string;
  readonly ev: string;
  /** A path, or the name of a device. */
  readonly text: string | null;
  readonly driver: string | null;
  /** Null where there is no such number. */
  number(key: string): number | null;
  /** Throws `EvidenceError` where there is no such number. */
  required(key: string): number;
  /** The name of a file, which is its address. */
  readonly file: string | null;
}

/** A name has up to 15 bytes, and what it holds may look like the keys that follow it. */
const form =
  /^\{"t":(\d{1,20}),"pid":(-?\d{1,10}),"tid":(-?\d{1,10}),"comm":"([^]{0,15})","ev":"(\w{1,32})"([^]*)\}$/;
const text = /,"(?:path|dev)":"/;
const driver = /,"driver":"([^"]{0,64})"/;
const fields = /,"(\w+)":(?:(-?\d{1,20})|"(?:0x)?([\da-f]{1,16})")/g;

/** Throws `EvidenceError` for what is no record. */
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

/** The text in a record, which is before its last field or is the last itself, and what is around it. */
function apart(rest: string): { string: string | null; others: string } {
  const key = text.exec(rest);
  if (key === null) return { string: null, others: rest };
  const from = key.index + key[0].length;
  const end = rest.endsWith('"') ? rest.length - 1 : rest.lastIndexOf('","');
  if (end < from) throw new EvidenceError('a record breaks off');
  return { string: rest.slice(from, end), others: rest.slice(0, key.index) + rest.slice(end + 1) };
}
