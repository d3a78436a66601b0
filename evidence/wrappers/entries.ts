/**
 * `JournalEntries`: records of several lines, which `journalctl -o verbose`, `export` and `json-pretty` print.
 *
 * @module
 */
import { copied } from '../source.ts';
import { peeledRecord } from './records.ts';
import { calendar, DATE, TIME, WEEKDAY, type Stamp } from './times.ts';
import type { Peeled } from './wrapper.ts';

/** An entry that ended. `lines`: its text. `peeled` is null if the lines are no record after all. */
export interface JournalEntry {
  readonly peeled: Peeled | null;
  readonly lines: readonly string[];
  /** The number of lines between its last line and the line that shows its end. */
  readonly linesAgo: number;
}

/** The answer to a line. */
export interface EntryTaken {
  /** The entry that the line ends, or that ended before it. */
  readonly ended: JournalEntry | null;
  /** Whether the line is part of an entry. */
  readonly isPart: boolean;
}

/** More lines than this, or more text in characters, are no record. */
const MOST_LINES = 1024;
const MOST_TEXT = 1 << 22;
/** Longer lines of an entry lose their end. */
const LONGEST = 65_536;

const head = new RegExp(
  String.raw`^\s*(?:${WEEKDAY}) ${DATE} ${TIME} (?<named>[A-Z]{1,5}|[+-]\d\d) \[s=[\da-f]+;.*\]$`,
);
/** A line of JSON that was printed over several lines: a field, a value, or the end of one. */
const jsonLine =
  /^\s*(?:"|[\]}][\]},[{\s]*$|(?:\[\]?|\{\}?|-?\d[\d.eE+-]*|true|false|null)?,?\s*$)/;
const field = /^\s*(?<key>[A-Z_][A-Z\d_]{0,63})=(?<value>.*)$/s;

type OpenEntry =
  | { readonly form: 'verbose'; readonly stamp: Stamp | null }
  | { readonly form: 'export' }
  | { readonly form: 'json'; readonly close: RegExp };

const NOTHING: EntryTaken = { ended: null, isPart: false };

export class JournalEntries {
  #open: OpenEntry | null = null;
  #lines: string[] = [];
  /** The text of the lines, in characters. */
  #text = 0;

  /** Whether an entry has begun and not ended. */
  get isOpen(): boolean {
    return this.#open !== null;
  }

  take(line: string): EntryTaken {
    const open = this.#open;
    if (open === null) return this.#begin(line) ? { ended: null, isPart: true } : NOTHING;
    if (open.form === 'json') return this.#inJson(line, open.close);
    const isEnd = open.form === 'export' ? line === '' : !/^\s+\S/.test(line);
    if (!isEnd) return this.#keep(line);
    const ended = this.#closed(peeledEntry(this.#lines, open), 1);
    return { ended, isPart: this.#begin(line) };
  }

  /** Ends the entry that is open. */
  end(): JournalEntry | null {
    const open = this.#open;
    if (open === null) return null;
    return this.#closed(open.form === 'json' ? null : peeledEntry(this.#lines, open), 0);
  }

  #closed(peeled: Peeled | null, linesAgo: number): JournalEntry {
    const lines = this.#lines;
    this.#open = null;
    this.#lines = [];
    return { peeled, lines, linesAgo };
  }

  #begin(line: string): boolean {
    this.#open = openedBy(line);
    if (this.#open === null) return false;
    this.#lines = [];
    this.#text = 0;
    this.#keep(line);
    return true;
  }

  #keep(line: string): EntryTaken {
    const kept = copied(line.slice(0, LONGEST));
    this.#lines.push(kept);
    this.#text += kept.length;
    const isTooLong = this.#lines.length > MOST_LINES || this.#text > MOST_TEXT;
    return { ended: isTooLong ? this.#closed(null, 0) : null, isPart: true };
  }

  #inJson(line: string, close: RegExp): EntryTaken {
    // The record is inside: `dmesg -J` prints a list.
    const isList = /^\s*"\w{1,64}": ?\[$/.test(line);
    if (isList || !jsonLine.test(line)) {
      return { ended: this.#closed(null, 1), isPart: this.#begin(line) };
    }
    const taken = this.#keep(line);
    if (taken.ended !== null || !close.test(line)) return taken;
    const inner = joined(this.#lines);
    return { ended: this.#closed(isJson(inner) ? { inner } : null, 0), isPart: true };
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON of several lines as one line, without a comma behind it. */
function joined(lines: readonly string[]): string {
  return lines
    .map((line) => line.trim())
    .join(' ')
    .replace(/,$/, '');
}

function openedBy(line: string): OpenEntry | null {
  if (line.startsWith('__') && /^__[A-Z_]{1,64}=/.test(line)) return { form: 'export' };
  if (line.endsWith('{') && /^\s*\{$/.test(line)) {
    const close = new RegExp(`^${line.slice(0, -1)}\\},?$`);
    return { form: 'json', close };
  }
  const groups = line.endsWith(']') ? head.exec(line)?.groups : undefined;
  if (groups === undefined) return null;
  const isUtc = /^(?:UTC|GMT)$/.test(groups['named'] ?? '');
  return { form: 'verbose', stamp: calendar(groups, isUtc ? 'wall' : 'local') };
}

function peeledEntry(lines: readonly string[], open: OpenEntry): Peeled | null {
  const fields = new Map<string, string>();
  let last = '';
  for (const line of lines) {
    const { key, value = '' } = field.exec(line)?.groups ?? {};
    if (key !== undefined) fields.set((last = key), value);
    else if (last !== '') fields.set(last, `${fields.get(last)}\n${line.trim()}`);
  }
  if (open.form === 'verbose') fields.delete('_SOURCE_REALTIME_TIMESTAMP');
  const peeled = peeledRecord(fields);
  return peeled && open.form === 'verbose' ? { ...peeled, stamp: open.stamp } : peeled;
}
