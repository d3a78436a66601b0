/**
 * `SourceReader`: reads the lines of one source, each with the reader that recognizes it.
 *
 * @module
 */
import type { LedgerEvent } from '../events/vocabulary.ts';
import { reasonOf } from './collected.ts';
import {
  EvidenceError,
  TooMuchError,
  type Importer,
  type Reader,
  type SourceOptions,
} from './importer.ts';
import {
  callTraces,
  importerFor,
  importerOf,
  messagesFor,
  messagesOf,
  traceFor,
} from './importers.ts';
import { blockConcerns, concerns } from './messages/concerns.ts';
import { copied, countLines, LONGEST_LINE, TOO_LONG } from './source.ts';
import type { Tally } from './tally.ts';

/** The number of lines before the first one that is recognized, which its reader is given, too. */
const MOST_BEFORE = 200;
/** The most characters of these lines. */
const MOST_TEXT_BEFORE = 1 << 22;

/** A reader that has begun. */
interface Begun {
  readonly importer: Importer;
  readonly reader: Reader;
  /** The number of its assumed events so far. */
  assumed: number;
}

/** A line that no reader has recognized so far. */
interface LineBefore {
  readonly text: string;
  readonly number: number;
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
  #before: LineBefore[] = [];
  /** The number of characters in `#before`. */
  #textBefore = 0;
  /** The number of the first line before it that is too long. */
  #tooLong: number | null = null;
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
    const isShort = block.length <= LONGEST_LINE;
    if (!mayPass || !isShort || this.#second !== null || blockConcerns(block)) return false;
    const lines = countLines(block);
    this.number += lines;
    this.#tally.passOver(lines + this.#before.length);
    this.#tally.read -= this.#before.length;
    this.#takeBefore();
    return true;
  }

  /** The events of a line. Throws `EvidenceError` for one that it may not pass over. */
  line(text: string): readonly LedgerEvent[] {
    this.number++;
    this.#tally.line();
    const first = this.#first;
    if (text.length > LONGEST_LINE) {
      this.#reject(first, text, this.number, new EvidenceError(TOO_LONG));
      if (first !== null) return this.#given(first, first.reader.unread?.(this.number) ?? []);
      this.#tooLong ??= this.number;
      return [];
    }
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
      return this.#last(begun);
    } finally {
      this.#tally.unknown += reader.unknown;
      // In a trace, a line that says nothing to the reader of messages is rejected.
      if (begun === this.#first) this.#tally.passedOver += reader.passedOver ?? 0;
      this.#tally.see(reader.seen ?? {});
      if (reader.says ?? this.number > 0) this.#tally.says = true;
    }
  }

  /** The events at the end of a reader. If the last line cannot be read, those of the lines before it. */
  #last(begun: Begun): readonly LedgerEvent[] {
    const { reader, importer } = begun;
    try {
      return this.#given(begun, reader.end());
    } catch (error) {
      if (!(error instanceof EvidenceError) || error instanceof TooMuchError) throw error;
      if (!importer.isTolerant) throw error;
      this.#reject(begun, '', this.number, error);
      return this.#given(begun, reader.end());
    }
  }

  #unrecognized(text: string): readonly LedgerEvent[] {
    const isFirst = this.#isBlank;
    this.#before.push({ text: copied(text), number: this.number });
    this.#textBefore += text.length;
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
    if (this.#tooLong !== null && !importer.isTolerant) {
      throw placed(new EvidenceError(TOO_LONG), this.#source, this.#tooLong);
    }
    const first = (this.#first = this.#begin(importer));
    return this.#takeBefore().flatMap(({ text, number }) => this.#read(first, text, number));
  }

  /** Keeps no more lines than a reader may need. */
  #forget(): readonly LedgerEvent[] {
    if (this.#before.length >= 2 * MOST_BEFORE || this.#textBefore >= 2 * MOST_TEXT_BEFORE) {
      // No reader knows the words so far. Those that follow may be known.
      if (this.#mayConcern) return this.#recognized(messagesOf('text'));
      const lines = this.#takeBefore();
      let from = lines.length;
      while (from > Math.max(0, lines.length - MOST_BEFORE)) {
        const length = lines[from - 1]?.text.length ?? 0;
        if (this.#textBefore + length > MOST_TEXT_BEFORE) break;
        this.#textBefore += length;
        from--;
      }
      this.#before = lines.slice(from);
      this.#tally.passedOver += from;
    }
    return [];
  }

  #takeBefore(): LineBefore[] {
    const before = this.#before;
    this.#before = [];
    this.#textBefore = 0;
    return before;
  }

  #begin(importer: Importer): Begun {
    return { importer, reader: importer.read(this.#options, this.#source), assumed: 0 };
  }

  #read(first: Begun, text: string, number: number): readonly LedgerEvent[] {
    let asked = first;
    try {
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
      if (!(error instanceof EvidenceError) || error instanceof TooMuchError) {
        throw placed(error, this.#source, number);
      }
      const events = first.importer.isTolerant ? this.#message(first, text, number) : null;
      if (events !== null) return events;
      const isOwn = this.#reject(first, text, number, error);
      // What cannot be read of VFIO is reported as such.
      this.#tally.says ||= concerns(text) && (this.#options.format === null || isOwn);
      return this.#given(asked, asked.reader.unread?.(number) ?? []);
    }
  }

  /**
   * Counts a line that cannot be read, and returns whether the reader takes it for one of its own. Throws
   * the error, with its place, if such a line ends the import.
   */
  #reject(first: Begun | null, text: string, number: number, error: EvidenceError): boolean {
    if (this.#options.isStrict || first?.importer.isTolerant === false) {
      throw placed(error, this.#source, number);
    }
    const isOwn = first !== null && isOf(first, text);
    this.#tally.reject(this.#source, number, error.message, isOwn || concerns(text));
    return isOwn;
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
    const importer = this.#second === null ? messagesFor(text) : null;
    if (importer !== null) this.#second = this.#begin(importer);
    const second = this.#second;
    if (second === null || second.reader === first.reader) return null;
    const passed = second.reader.passedOver;
    try {
      const events = this.#given(second, second.reader.line(text, number));
      return second.reader.passedOver === passed ? events : null;
    } catch (error) {
      if (!(error instanceof EvidenceError) || error instanceof TooMuchError) throw error;
      return null;
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

/** An error that names its source and line; 0 is the source itself. Any other is returned unchanged. */
export function placed(error: unknown, source: string, line: number): unknown {
  if (error instanceof PlacedError || !(error instanceof EvidenceError)) return error;
  const place = line === 0 ? source : `${source}:${line}`;
  return new PlacedError(`${place}: ${reasonOf(error.message)}`, error.code);
}

/** An error whose message already names source and line. */
class PlacedError extends EvidenceError {}
