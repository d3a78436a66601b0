/**
 * Collects evidence: reads several sources to the end and merges their events by time.
 *
 * @module
 */
import { isError } from '../events/is-error.ts';
import { LedgerError } from '../events/ledger-error.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import type { Collected, Reading } from './collected.ts';
import { EvidenceError, type SourceOptions } from './importer.ts';
import { formats } from './importers.ts';
import { ShownCalls } from './messages/shown-calls.ts';
import { ToldAnywhere } from './messages/told.ts';
import { blocksOf, linesOf, TOO_LONG, type Source } from './source.ts';
import { placed, SourceReader } from './source-reader.ts';
import { Spool } from './spool.ts';
import { Tally } from './tally.ts';
import { clearTemporaryFolders } from './temporary-folder.ts';

export interface CollectOptions extends SourceOptions {
  /** Is called with each event and the name of its source, and throws to refuse it. */
  readonly admit: (event: LedgerEvent, source: string) => void;
  /** Is called every few thousand lines. */
  readonly progress?: (reading: Reading) => void;
}

/**
 * Reads all sources and merges their events by time. An event without a time stays after the event
 * before it. Of equal times, that of the earlier source comes first. Assumed events about the host come
 * first, once. A refusal that a trace shows and a message tells is told once, by the trace. Listings whose time is unknown come last, in the order of the sources.
 *
 * Rejects with `EvidenceError`, message `SOURCE:LINE: reason`, also if no source says anything of VFIO, or
 * with `unavailable` if a source cannot be read. Then nothing of any source is kept.
 */
export async function collect(
  sources: readonly Source[],
  options: CollectOptions,
): Promise<Omit<Collected, 'judgedAs'>> {
  const tally = new Tally(sources, options.progress ?? null);
  clearTemporaryFolders();
  const spool = new Spool();
  const calls = new ShownCalls(options.around, options.isTrace);
  const together = { ...options, told: new ToldAnywhere() };
  const heads = toldApart(sources).map(
    (source) => new SourceCursor(source.name, eventsOf(source, together, tally, spool)),
  );
  const keep = async (head: SourceCursor, event: LedgerEvent, isPreamble: boolean) => {
    options.admit(event, head.name);
    spool.withdraw(calls.take(event, head.showsCalls));
    await spool.add(event, isPreamble);
  };
  try {
    for (const head of heads) await head.next();
    for (let next = earliest(heads); next !== null; next = earliest(heads)) {
      await keep(next.head, next.event, false);
      await next.head.next();
    }
    for (const head of heads) for (const event of head.listed) await keep(head, event, false);
    const first = heads.find(({ preamble }) => preamble.length > 0);
    if (first !== undefined) for (const event of first.preamble) await keep(first, event, true);
    if (!tally.says) throw nothingSaid(sources, tally, options.format);
  } catch (error) {
    await spool.discard();
    throw unavailable(error);
  }
  const { read, unknown, passedOver, seen, rejected, rejectedCount } = tally;
  return { events: spool, read, unknown, passedOver, seen, rejected, rejectedCount };
}

/** Sources with names of their own: the second `trace.log` is `trace.log (2)`. */
function toldApart(sources: readonly Source[]): Source[] {
  const taken = new Set<string>();
  return sources.map((source) => {
    let { name } = source;
    for (let count = 2; taken.has(name); count++) name = `${source.name} (${count})`;
    taken.add(name);
    return name === source.name ? source : { ...source, name };
  });
}

function nothingSaid(
  sources: readonly Source[],
  { read, rejected }: Tally,
  format: string | null,
): EvidenceError {
  const names = sources.map(({ name }) => name).join(', ');
  const long = rejected.find(({ reason }) => reason === TOO_LONG);
  if (long !== undefined) {
    return new EvidenceError(
      `${long.file}:${long.line}: ${long.reason}; no other line says anything of VFIO`,
    );
  }
  if (read === 0) return new EvidenceError(`${names}: it is empty`);
  const others =
    format === null
      ? `the formats are ${formats.join(', ')}`
      : `--format ${format} reads that format only`;
  return new EvidenceError(`${names}: no line says anything of VFIO; ${others}`);
}

/** Events of a source. `preamble`: how many of them, from the first, belong to it. */
interface GivenEvents {
  readonly events: readonly LedgerEvent[];
  readonly preamble: number;
  /** Whether listings whose time is unknown show them. */
  readonly isListed: boolean;
  /** Whether they are of a trace that shows each call. */
  readonly showsCalls: boolean;
}

/** Reads the events of a source. Those that turn out not to have happened are withdrawn from the spool. */
async function* eventsOf(
  source: Source,
  options: CollectOptions,
  tally: Tally,
  spool: Spool,
): AsyncGenerator<GivenEvents> {
  const taken = source.taken ?? options.taken;
  const reader = new SourceReader(source.name, { ...options, taken }, tally);
  let preamble = 0;
  const give = (events: readonly LedgerEvent[], isListed = false): GivenEvents => {
    const own = Math.min(reader.preamble - preamble, events.length);
    const given = { events, preamble: own, isListed, showsCalls: reader.showsCalls };
    preamble = reader.preamble;
    return given;
  };
  try {
    for await (const block of blocksOf(source.chunks)) {
      if (reader.passesOver(block)) continue;
      for (const text of linesOf(block)) {
        const events = reader.line(text);
        if (events.length > 0) yield give(events);
      }
    }
  } catch (error) {
    throw placed(error, source.name, reader.number);
  }
  const events = ended(reader, source.name);
  if (events.length > 0) yield give(events);
  spool.withdraw(reader.withdrawn);
  const listed = reader.listed();
  if (listed.length > 0) yield give(listed, true);
}

/** The events at the end of a source. Throws an `EvidenceError` that names the line after the last. */
function ended(reader: SourceReader, source: string): readonly LedgerEvent[] {
  try {
    return reader.end();
  } catch (error) {
    throw placed(error, source, reader.number + 1);
  }
}

/** A source during the merge: its next event, and its time so far. */
class SourceCursor {
  readonly name: string;
  readonly preamble: LedgerEvent[] = [];
  /** The events of listings whose time is unknown: they are not merged. */
  readonly listed: LedgerEvent[] = [];
  event: LedgerEvent | null = null;
  /** Whether that event is of a trace that shows each call. */
  showsCalls = false;
  /** The latest time so far. Events are merged by it, so a source always keeps its own order. */
  latest: string | null = null;
  readonly #events: ReturnType<typeof eventsOf>;
  /** Events that were read and not yet merged. */
  #rest: LedgerEvent[] = [];
  #isOver = false;

  constructor(name: string, events: ReturnType<typeof eventsOf>) {
    this.name = name;
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
    this.showsCalls = value.showsCalls;
    this.preamble.push(...value.events.slice(0, value.preamble));
    const events = value.events.slice(value.preamble);
    if (!value.isListed) this.#rest = events;
    else for (const event of events) this.listed.push(event);
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

/** An `unavailable` error for an error of the file system. Any other is returned unchanged. */
function unavailable(error: unknown): unknown {
  if (!(isError(error) && 'syscall' in error)) return error;
  return new LedgerError('unavailable', error.message, { cause: error });
}
