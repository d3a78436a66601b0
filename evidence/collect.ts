/**
 * Evidence from several sources, read to the end and put in one order.
 *
 * @module
 */
import { DecodeError } from '../events/codec.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import { EvidenceError, type ImportOptions, type Reader } from './importer.ts';
import { importerFor, importerOf } from './importers.ts';

/** A piece of evidence: its name, for messages, and its text in chunks. */
export interface Source {
  readonly name: string;
  readonly chunks: AsyncIterable<string> | Iterable<string>;
}

/** What was read, before any of it is in a log. */
export interface Collected {
  readonly events: readonly LedgerEvent[];
  /** Lines read. */
  readonly read: number;
  /** Lines that said something nobody understands. */
  readonly unknown: number;
}

export interface CollectOptions extends ImportOptions {
  /** Null finds it from the content. */
  readonly format: string | null;
  /** Told now and then how many lines have been read. */
  readonly progress?: (read: number) => void;
}

const PROGRESS_EVERY = 4096;

/**
 * Reads the sources, each to its end, and merges their events by time: those without a time stay
 * with the event before them.
 *
 * Throws `EvidenceError` with `SOURCE:LINE: reason`; then nothing of any source has been kept.
 */
export async function collect(
  sources: readonly Source[],
  options: CollectOptions,
): Promise<Collected> {
  const lists: LedgerEvent[][] = [];
  let read = 0;
  let unknown = 0;
  for (const source of sources) {
    const events: LedgerEvent[] = [];
    let reader: Reader | null = null;
    let line = 0;
    try {
      for await (const text of linesOf(source.chunks)) {
        line++;
        if (++read % PROGRESS_EVERY === 0) options.progress?.(read);
        if (reader === null && text.trim() === '') continue;
        reader ??= (options.format === null ? importerFor(text) : importerOf(options.format)).read(
          options,
        );
        events.push(...reader.line(text));
      }
      if (reader === null) throw new EvidenceError('there is nothing in it');
      line++;
      events.push(...reader.end());
    } catch (error) {
      throw placed(error, source.name, line);
    }
    unknown += reader.unknown;
    lists.push(events);
  }
  return { events: merge(lists), read, unknown };
}

function placed(error: unknown, source: string, line: number): unknown {
  if (error instanceof EvidenceError || error instanceof DecodeError) {
    const place = line === 0 ? source : `${source}:${line}`;
    return new EvidenceError(`${place}: ${error.message}`);
  }
  return error;
}

async function* linesOf(chunks: Source['chunks']): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split(/\r?\n/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** Merges lists that are each in order; of equal times the earlier list comes first. */
function merge(lists: readonly LedgerEvent[][]): LedgerEvent[] {
  const [only] = lists;
  if (only !== undefined && lists.length === 1) return only;
  const keyed = lists.flatMap((events, list) => {
    // The latest time so far: a source is never put in another order than its own.
    let latest = events.find(({ time }) => time !== null)?.time ?? '';
    return events.map((event) => {
      if (event.time !== null && event.time > latest) latest = event.time;
      return { event, latest, list };
    });
  });
  return keyed
    .toSorted((a, b) => (a.latest < b.latest ? -1 : a.latest > b.latest ? 1 : a.list - b.list))
    .map(({ event }) => event);
}

/** What a log holds already. */
export interface Known {
  readonly host: string;
  readonly ids: ReadonlySet<string>;
  /** Time of the last event. */
  readonly last: string | null;
}

/**
 * The events that come after what is known: those that are there already are left out, and those
 * without a time take the nearest earlier one.
 *
 * Throws `EvidenceError` where the evidence begins before the last known event.
 */
export function sequel(events: readonly LedgerEvent[], known: Known): LedgerEvent[] {
  const fresh = events.filter(({ id }) => !known.ids.has(id));
  const begins = fresh.find(({ time }) => time !== null)?.time ?? null;
  if (begins !== null && known.last !== null && begins < known.last) {
    throw new EvidenceError(
      `it begins at ${begins}, before the last event of host '${known.host}' (${known.last}): ` +
        'import both into a new log',
    );
  }
  let last = known.last;
  return fresh.map((event) => {
    last = event.time ?? last;
    return { ...event, time: last };
  });
}

/** What became of evidence. */
export interface ImportReport {
  /** Lines read. */
  readonly read: number;
  readonly appended: number;
  /** Events that were in the log already. */
  readonly skipped: number;
  /** Lines that said something nobody understands. */
  readonly unknown: number;
  readonly rejected: readonly { file: string; line: number; reason: string }[];
}
