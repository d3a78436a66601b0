/**
 * `SourceReader`: reads the lines of one source, each with the reader that recognizes it.
 *
 * @module
 */
import type { LedgerEvent } from '../events/vocabulary.ts';
import { EvidenceError, type Importer, type Reader, type SourceOptions } from './importer.ts';
import {
  callTraces,
  importerFor,
  importerOf,
  messagesFor,
  messagesOf,
  traceFor,
} from './importers.ts';
import { blockConcerns, concerns } from './messages/concerns.ts';
import { countLines, LONGEST_LINE } from './source.ts';
import type { Tally } from './tally.ts';

/** The number of lines before the first one that is recognized, which its reader is given, too. */
const MOST_BEFORE = 200;

/** A reader that has begun. */
interface Begun {
  readonly importer: Importer;
  readonly reader: Reader;
  /** The number of its assumed events so far. */
  assumed: number;
}

export class SourceReader {
  /** The number of events at the beginning that are assumed of the host, not read from a line. */
  preamble = 0;
  /** The number of the last line, from 1. */
  number = 0;
  /** Whether the last events are of a trace that shows each call. */
  showsCalls = false;
  readonly #source: string;
  readonly #options: SourceOptions;
  readonly #tally: Tally;
  /** The reader of the first line that was recognized. */
  #first: Begun | null = null;
  /** That of lines between: messages in a trace, or a trace among messages. */
  #second: Begun | null = null;
  /** Whose assumptions of the host are taken. */
  #assumes: Begun | null = null;
  /** The last lines before the first one that is recognized. */
  #before: string[] = [];
  #isBlank = true;
  /** The time of its last event that has one. */
  #time: string | null = null;
  /** Whether one of them may say something with the lines around it. */
  #mayConcern = false;

  constructor(source: string, options: SourceOptions, tally: Tally) {
    this.#source = source;
    this.#options = options;
    this.#tally = tally;
    if (options.format !== null) this.#first = this.#begin(importerOf(options.format));
  }

  /** Passes over a block of lines, if no line of it can say anything. */
  passesOver(block: string): boolean {
    const reader = this.#first?.reader;
    const mayPass = reader === undefined ? this.number > MOST_BEFORE : reader.mayPassOver === true;
    if (!mayPass || this.#second !== null || blockConcerns(block)) return false;
    const lines = countLines(block);
    this.number += lines;
    this.#tally.passOver(lines + this.#before.length);
    this.#tally.read -= this.#before.length;
    this.#before = [];
    return true;
  }

  /** The events of a line. Throws `EvidenceError` for one that it may not pass over. */
  line(text: string): readonly LedgerEvent[] {
    this.number++;
    this.#tally.line();
    const first = this.#first;
    return first === null ? this.#unrecognized(text) : this.#read(first, text, this.number);
  }

  /** The events that are known only at the end. */
  end(): readonly LedgerEvent[] {
    const events =
      this.#first === null && this.#mayConcern ? this.#recognized(messagesOf('text')) : [];
    this.#tally.passedOver += this.#before.length;
    return [...events, ...this.#begun.flatMap((one) => this.#end(one))];
  }

  /** The events of listings whose time is unknown, after `end`. */
  listed(): readonly LedgerEvent[] {
    return this.#begun.flatMap((one) => this.#once(one, one.reader.listed?.() ?? []));
  }

  /** The ids of events so far that later lines have shown not to have happened; all after `end`. */
  get withdrawn(): readonly string[] {
    return this.#begun.flatMap(({ reader }) => reader.withdrawn ?? []);
  }

  get #begun(): readonly Begun[] {
    return [this.#first, this.#second].filter((one) => one !== null);
  }

  #end(begun: Begun): readonly LedgerEvent[] {
    const { reader } = begun;
    try {
      return this.#given(begun, reader.end());
    } finally {
      this.#tally.unknown += reader.unknown;
      // In a trace, a line that says nothing to the reader of messages is rejected.
      if (begun === this.#first) this.#tally.passedOver += reader.passedOver ?? 0;
      this.#tally.see(reader.seen ?? {});
      if (reader.says ?? this.number > 0) this.#tally.says = true;
    }
  }

  #unrecognized(text: string): readonly LedgerEvent[] {
    const isFirst = this.#isBlank;
    const before = this.#before;
    before.push(text);
    if (text.trim() === '') return this.#forget();
    this.#isBlank = false;
    if (this.number > MOST_BEFORE && !concerns(text)) return this.#forget();
    const importer = importerFor(text, isFirst);
    if (importer !== null) return this.#recognized(importer);
    this.#mayConcern ||= concerns(text);
    return this.#forget();
  }

  /** Begins to read, with the lines before. */
  #recognized(importer: Importer): readonly LedgerEvent[] {
    const first = (this.#first = this.#begin(importer));
    const before = this.#before;
    this.#before = [];
    const from = this.number - before.length;
    return before.flatMap((line, index) => this.#read(first, line, from + index + 1));
  }

  /** Keeps no more lines than a reader may need. */
  #forget(): readonly LedgerEvent[] {
    if (this.#before.length >= 2 * MOST_BEFORE) {
      // No reader knows the words so far. Those that follow may be known.
      if (this.#mayConcern) return this.#recognized(messagesOf('text'));
      this.#tally.passedOver += this.#before.length - MOST_BEFORE;
      this.#before = this.#before.slice(-MOST_BEFORE);
    }
    return [];
  }

  #begin(importer: Importer): Begun {
    return { importer, reader: importer.read(this.#options, this.#source), assumed: 0 };
  }

  #read(first: Begun, text: string, number: number): readonly LedgerEvent[] {
    let asked = first;
    try {
      if (text.length >= LONGEST_LINE) throw new EvidenceError('the line is too long');
      if (this.#options.format === null && first.reader.passedOver !== undefined) {
        const trace = this.#traceOf(text);
        if (trace !== null) {
          asked = trace;
          return this.#given(trace, trace.reader.line(text, number));
        }
      }
      const events = this.#given(first, first.reader.line(text, number));
      if (first.reader.completes === true) this.#tally.retract();
      return events;
    } catch (error) {
      const { isStrict, format } = this.#options;
      if (!(error instanceof EvidenceError) || !first.importer.isTolerant) {
        throw placed(error, this.#source, number);
      }
      const events = this.#message(first, text, number);
      if (events !== null) return events;
      if (isStrict) throw placed(error, this.#source, number);
      const isOwn = isOf(first, text);
      const isAbout = concerns(text);
      // What cannot be read of VFIO is reported as such.
      this.#tally.says ||= isAbout && (format === null || isOwn);
      this.#tally.reject(this.#source, number, excerptOf(error.message), isOwn || isAbout);
      return this.#given(asked, asked.reader.unread?.(number) ?? []);
    }
  }

  /** The reader of a trace, for a line of one among messages. */
  #traceOf(text: string): Begun | null {
    const second = this.#second;
    if (second !== null) return second.importer.recognizes(text) ? second : null;
    if (!concerns(text)) return null;
    const importer = traceFor(text);
    if (importer !== null) this.#second = this.#begin(importer);
    return this.#second;
  }

  /** The events of a message or a listing in a trace, whose reader rejects the line; null: it is none. */
  #message(first: Begun, text: string, number: number): readonly LedgerEvent[] | null {
    if (this.#options.format !== null || first.importer.recognizes(text)) return null;
    if (text.length >= LONGEST_LINE) return null;
    const importer = this.#second === null ? messagesFor(text) : null;
    if (importer !== null) this.#second = this.#begin(importer);
    const second = this.#second;
    if (second === null || second.reader === first.reader) return null;
    const passed = second.reader.passedOver;
    try {
      const events = this.#given(second, second.reader.line(text, number));
      return second.reader.passedOver === passed ? events : null;
    } catch (error) {
      if (error instanceof EvidenceError) return null;
      throw error;
    }
  }

  /** The events of a reader. In a trace, one without a time takes the nearest earlier time. */
  #given(begun: Begun, events: readonly LedgerEvent[]): readonly LedgerEvent[] {
    const own = this.#once(begun, events);
    this.showsCalls = callTraces.has(begun.importer.format);
    return begun.importer.isTolerant ? own.map((event) => this.#timed(event)) : own;
  }

  #timed(event: LedgerEvent): LedgerEvent {
    const { time } = event;
    if (time !== null) this.#time = time;
    if (time === this.#time || event.data.evidence?.certainty === 'assumed') return event;
    return { ...event, time: this.#time };
  }

  /** The events of a reader, without what it assumes of the host if another has assumed it. */
  #once(begun: Begun, events: readonly LedgerEvent[]): readonly LedgerEvent[] {
    const assumed = begun.reader.preamble - begun.assumed;
    begun.assumed = begun.reader.preamble;
    if (assumed === 0) return events;
    this.#assumes ??= begun;
    if (this.#assumes !== begun) return events.slice(assumed);
    this.preamble += assumed;
    return events;
  }
}

/** Whether a reader takes a line that it cannot read for one of its own. */
function isOf({ importer, reader }: Begun, text: string): boolean {
  // A reader of messages passes over what is no message.
  return reader.passedOver !== undefined || importer.recognizes(text.slice(0, LONGEST_SHOWN));
}

/** The number of characters of a line by which its format is recognized. */
const LONGEST_SHOWN = 65_536;
/** The number of characters of a reason that are kept: it may quote a line. */
const LONGEST_REASON = 400;

function excerptOf(reason: string): string {
  return reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)}…` : reason;
}

/** An error that names its source and line; 0 is the source itself. Any other is returned unchanged. */
export function placed(error: unknown, source: string, line: number): unknown {
  if (error instanceof PlacedError || !(error instanceof EvidenceError)) return error;
  const place = line === 0 ? source : `${source}:${line}`;
  return new PlacedError(`${place}: ${excerptOf(error.message)}`, error.code);
}

/** An error whose message already names source and line. */
class PlacedError extends EvidenceError {}
