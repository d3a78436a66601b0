/**
 * Evidence from several sources, read to the end and put in one order.
 *
 * @module
 */
import { LedgerError } from '../events/ledger-error.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import { EvidenceError, type ImportOptions, type Importer, type Reader } from './importer.ts';
import { formats, importerFor, importerOf } from './importers.ts';
import { linesOf, LONGEST_LINE, type Source } from './source.ts';
import { Spool } from './spool.ts';

/** A line that could not be read. */
export interface Rejected {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

/** What was read, before any of it is in a log. */
export interface Collected {
  /** The events in their order, to be gone through once. */
  readonly events: Spool;
  /** Lines read. */
  readonly read: number;
  /** Lines that said something nobody understands. */
  readonly unknown: number;
  /** The first of the lines that could not be read, and how many there were of them. */
  readonly rejected: readonly Rejected[];
  readonly rejectedCount: number;
}

/** How far the reading has come. */
export interface Reading {
  readonly lines: number;
  /** From 0 to 1; null where nobody can say. */
  readonly share: number | null;
}

export interface CollectOptions extends ImportOptions {
  /** Null finds it from the content. */
  readonly format: string | null;
  /** A line that cannot be read ends it, whatever the format. */
  readonly isStrict: boolean;
  /** Throws where an event is not to be taken. */
  readonly admit: (event: LedgerEvent) => void;
  /** Told now and then how far it has come. */
  readonly progress?: (reading: Reading) => void;
}

/** More rejected lines than these are counted and not shown. */
const MOST_SHOWN = 100_000;
/** The content is looked for in so many lines at the beginning. */
const MOST_FOREIGN = 200;
const PROGRESS_EVERY = 1 << 14;

/**
 * Reads the sources, each to its end, and merges their events by time: those without a time stay
 * with the event before them, and of equal times the earlier source comes first. What is taken for
 * granted of the host comes before all of it, once.
 *
 * Throws `EvidenceError` with `SOURCE:LINE: reason`, and `unavailable` where a source cannot be read;
 * then nothing of any source has been kept.
 */
export async function collect(
  sources: readonly Source[],
  options: CollectOptions,
): Promise<Collected> {
  const tally = new Tally(sources, options);
  const spool = new Spool();
  const heads = sources.map((source) => new SourceCursor(eventsOf(source, options, tally)));
  try {
    for (const head of heads) await head.next();
    const first = heads.find(({ preamble }) => preamble.length > 0);
    for (const event of first?.preamble ?? []) {
      options.admit(event);
      await spool.add(event, true);
    }
    for (let next = earliest(heads); next !== null; next = earliest(heads)) {
      options.admit(next.event);
      await spool.add(next.event, false);
      await next.head.next();
    }
  } catch (error) {
    await spool.discard();
    throw unavailable(error);
  }
  const { read, unknown, rejected, rejectedCount } = tally;
  return { events: spool, read, unknown, rejected, rejectedCount };
}

/** What was read so far, of all sources. */
class Tally {
  read = 0;
  unknown = 0;
  rejectedCount = 0;
  readonly rejected: Rejected[] = [];
  readonly #sources: readonly Source[];
  readonly #progress: CollectOptions['progress'];

  constructor(sources: readonly Source[], { progress }: CollectOptions) {
    this.#sources = sources;
    this.#progress = progress;
  }

  line(): void {
    if (++this.read % PROGRESS_EVERY !== 0 || this.#progress === undefined) return;
    const shares = this.#sources.map(({ share }) => share?.() ?? null);
    const isKnown = shares.every((share) => share !== null);
    const sum = shares.reduce<number>((total, share) => total + (share ?? 0), 0);
    this.#progress({ lines: this.read, share: isKnown ? sum / shares.length : null });
  }

  reject(file: string, line: number, reason: string): void {
    this.rejectedCount++;
    if (this.rejected.length < MOST_SHOWN) this.rejected.push({ file, line, reason });
  }
}

/** Reads the lines of one source, with the importer that they turn out to be for. */
class Piece {
  readonly #source: string;
  readonly #options: CollectOptions;
  readonly #tally: Tally;
  #importer: Importer | null;
  #reader: Reader | null = null;
  /** Lines before the first that is of any format. */
  #foreign: string[] = [];
  #number = 0;

  constructor({ name }: Source, options: CollectOptions, tally: Tally) {
    this.#source = name;
    this.#options = options;
    this.#tally = tally;
    this.#importer = options.format === null ? null : importerOf(options.format);
  }

  get preamble(): number {
    return this.#reader?.preamble ?? 0;
  }

  /** Of the last line, counted from 1. */
  get number(): number {
    return this.#number;
  }

  line(text: string): readonly LedgerEvent[] {
    this.#number++;
    this.#tally.line();
    if (this.#reader !== null) return this.#read(this.#reader, text, this.#number);
    const isFirst = this.#foreign.every((line) => line.trim() === '');
    this.#foreign.push(text);
    if (text.trim() !== '') this.#importer ??= importerFor(text, isFirst);
    if (this.#importer !== null) return this.#begin(this.#importer);
    if (this.#foreign.length >= MOST_FOREIGN) throw this.#unrecognized();
    return [];
  }

  end(): readonly LedgerEvent[] {
    const reader = this.#reader;
    if (reader === null) throw this.#unrecognized();
    try {
      return reader.end();
    } catch (error) {
      throw placed(error, this.#source, this.#number + 1);
    } finally {
      this.#tally.unknown += reader.unknown;
    }
  }

  #begin(importer: Importer): readonly LedgerEvent[] {
    const reader = importer.read(this.#options, this.#source);
    this.#reader = reader;
    const lines = this.#foreign;
    this.#foreign = [];
    return lines.flatMap((line, index) => this.#read(reader, line, index + 1));
  }

  #read(reader: Reader, text: string, number: number): readonly LedgerEvent[] {
    try {
      if (text.length >= LONGEST_LINE) throw new EvidenceError('the line is too long');
      return reader.line(text, number);
    } catch (error) {
      const isPassed = this.#importer?.isTolerant === true && !this.#options.isStrict;
      if (!isPassed || !(error instanceof EvidenceError)) throw placed(error, this.#source, number);
      this.#tally.reject(this.#source, number, error.message);
      return [];
    }
  }

  #unrecognized(): unknown {
    const at = this.#foreign.findIndex((text) => text.trim() !== '') + 1;
    const error = new EvidenceError(
      at === 0
        ? 'there is nothing in it'
        : `of no format known here (${formats.join(', ')}); name one with --format`,
    );
    return placed(error, this.#source, at);
  }
}

/** The events of a source as they come, each with whether it is of the preamble. */
async function* eventsOf(
  source: Source,
  options: CollectOptions,
  tally: Tally,
): AsyncGenerator<{ readonly events: readonly LedgerEvent[]; readonly preamble: number }> {
  const piece = new Piece(source, options, tally);
  let preamble = 0;
  const give = (events: readonly LedgerEvent[]) => {
    const given = { events, preamble: Math.min(piece.preamble - preamble, events.length) };
    preamble = piece.preamble;
    return given;
  };
  try {
    for await (const lines of linesOf(source.chunks)) {
      for (const text of lines) {
        const events = piece.line(text);
        if (events.length > 0) yield give(events);
      }
    }
  } catch (error) {
    throw placed(error, source.name, piece.number);
  }
  const events = piece.end();
  if (events.length > 0) yield give(events);
}

/** The next event of a source. */
class SourceCursor {
  readonly preamble: LedgerEvent[] = [];
  event: LedgerEvent | null = null;
  /** The latest time so far: a source is never put in another order than its own. */
  latest: string | null = null;
  readonly #events: ReturnType<typeof eventsOf>;
  /** Events before the first that has a time, which are put with it. */
  #rest: LedgerEvent[] = [];
  #isOver = false;

  constructor(events: ReturnType<typeof eventsOf>) {
    this.#events = events;
  }

  async next(): Promise<void> {
    while (this.#rest.length === 0 && !this.#isOver) await this.#fill();
    this.event = this.#rest.shift() ?? null;
    const time = this.event?.time ?? null;
    if (time !== null && (this.latest === null || time > this.latest)) this.latest = time;
  }

  async #fill(): Promise<void> {
    const { done, value } = await this.#events.next();
    this.#isOver = done === true;
    if (value === undefined) return;
    this.preamble.push(...value.events.slice(0, value.preamble));
    this.#rest = value.events.slice(value.preamble);
    this.latest ??= this.#rest.find(({ time }) => time !== null)?.time ?? null;
  }
}

/** The event that comes first: without a time yet before all others. */
function earliest(
  heads: readonly SourceCursor[],
): { head: SourceCursor; event: LedgerEvent } | null {
  let first: { head: SourceCursor; event: LedgerEvent } | null = null;
  for (const head of heads) {
    if (head.event === null) continue;
    const before = first?.head.latest ?? '';
    if (first === null || (head.latest ?? '') < before) first = { head, event: head.event };
  }
  return first;
}

function placed(error: unknown, source: string, line: number): unknown {
  if (error instanceof PlacedError || !(error instanceof EvidenceError)) return error;
  const place = line === 0 ? source : `${source}:${line}`;
  return new PlacedError(`${place}: ${error.message}`, error.code);
}

/** What the system has refused, of a source or of the folder for temporary files, as an error of ours. */
function unavailable(error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  return new LedgerError('unavailable', error.message, { cause: error });
}

/** An error whose message names source and line. */
class PlacedError extends EvidenceError {}
