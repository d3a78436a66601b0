/**
 * Collects evidence: reads several sources to the end and merges their events by time.
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

/** The result of reading, before anything is appended to a log. */
export interface Collected {
  /** The merged events. They can be read once. */
  readonly events: Spool;
  /** The number of lines read. */
  readonly read: number;
  /** The number of lines that the reader of their format could not interpret. */
  readonly unknown: number;
  /** The first lines that could not be read, and the number of all of them. */
  readonly rejected: readonly Rejected[];
  readonly rejectedCount: number;
}

/** The progress of reading. */
export interface Reading {
  readonly lines: number;
  /** The share that is read, from 0 to 1; null if unknown. */
  readonly share: number | null;
}

export interface CollectOptions extends ImportOptions {
  /** Null: it is recognized by the content. */
  readonly format: string | null;
  /** Whether a line that cannot be read is an error in every format. */
  readonly isStrict: boolean;
  /** Is called with each event, and throws to refuse it. */
  readonly admit: (event: LedgerEvent) => void;
  /** Is called every few thousand lines. */
  readonly progress?: (reading: Reading) => void;
}

/** Rejected lines beyond this number are only counted. */
const MOST_SHOWN = 100_000;
/** The number of lines at the beginning by which a format is recognized. */
const MOST_FOREIGN = 200;
const PROGRESS_EVERY = 1 << 14;

/**
 * Reads all sources and merges their events by time. An event without a time stays after the event
 * before it. Of equal times, that of the earlier source comes first. Assumed events about the host come
 * first, once.
 *
 * Rejects with `EvidenceError`, message `SOURCE:LINE: reason`, or with `unavailable` if a source cannot
 * be read. Then nothing of any source is kept.
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

/** Counts what was read so far, in all sources. */
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

/** Reads the lines of one source with the importer that recognizes them. */
class Piece {
  readonly #source: string;
  readonly #options: CollectOptions;
  readonly #tally: Tally;
  #importer: Importer | null;
  #reader: Reader | null = null;
  /** The lines before the first one that an importer recognizes. */
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

  /** The number of the last line, from 1. */
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
        ? 'it is empty'
        : `the format is not recognized; name one with --format: ${formats.join(', ')}`,
    );
    return placed(error, this.#source, at);
  }
}

/** Reads the events of a source. `preamble`: how many of `events`, from the first, belong to it. */
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

/** A source during the merge: its next event, and its time so far. */
class SourceCursor {
  readonly preamble: LedgerEvent[] = [];
  event: LedgerEvent | null = null;
  /** The latest time so far. Events are merged by it, so a source always keeps its own order. */
  latest: string | null = null;
  readonly #events: ReturnType<typeof eventsOf>;
  /** Events that were read and not yet merged. */
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

/** The source to take the next event from: the earliest, or one without a time so far. */
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

/** An `unavailable` error for an error of the file system. Any other is returned unchanged. */
function unavailable(error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  return new LedgerError('unavailable', error.message, { cause: error });
}

/** An error whose message already names source and line. */
class PlacedError extends EvidenceError {}
