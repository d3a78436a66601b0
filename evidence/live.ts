/**
 * Reads evidence line by line while a recorder writes it.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import type { LedgerEvent } from '../events/vocabulary.ts';
import { reasonOf, type Rejected } from './collected.ts';
import { EvidenceError, type Importer, type ImportOptions, type Reader } from './importer.ts';
import { importerOf } from './importers.ts';
import type { LiveIdentities } from './live-identities.ts';
import { LONGEST_LINE, TOO_LONG } from './source.ts';

/** Is called with each event and the name of its source, and throws to refuse it. */
type Admit = (event: LedgerEvent, source: string) => void;

interface LiveOptions extends ImportOptions {
  readonly admit: Admit;
  /** Names the processes of the recorded host; null if it is another host than this one. */
  readonly identities: LiveIdentities | null;
}

/** Rejected lines beyond this number are only counted. */
const MOST_SHOWN = 100;

/** Reads one recording. If the format allows it, lines that cannot be read are counted and skipped. */
export class LiveReader {
  /** The number of lines read. */
  read = 0;
  rejectedCount = 0;
  /** The first lines that could not be read. */
  readonly rejected: Rejected[] = [];
  readonly #importer: Importer;
  readonly #reader: Reader;
  readonly #source: string;
  readonly #admit: Admit;
  readonly #identities: LiveIdentities | null;

  /** Throws `RequestError` for an unknown format. */
  constructor(format: string, source: string, options: LiveOptions) {
    this.#importer = importerOf(format);
    this.#reader = this.#importer.read(options, source);
    this.#source = source;
    this.#admit = options.admit;
    this.#identities = options.identities;
  }

  /** The number of lines that the reader could not interpret. */
  get unknown(): number {
    return this.#reader.unknown;
  }

  /** Reads a line. Throws `EvidenceError` for a bad line if the format does not allow bad lines. */
  line(text: string): readonly LedgerEvent[] {
    this.read++;
    try {
      if (text.length > LONGEST_LINE) throw new EvidenceError(TOO_LONG);
      return this.#admitted(this.#reader.line(text, this.read));
    } catch (error) {
      if (!this.#importer.isTolerant || !(error instanceof EvidenceError)) throw error;
      this.rejectedCount++;
      if (this.rejected.length < MOST_SHOWN) {
        const reason = reasonOf(error.message);
        this.rejected.push({ file: this.#source, line: this.read, reason });
      }
      return this.#admitted(this.#reader.unread?.(this.read) ?? []);
    }
  }

  /** Ends the recording. Returns the events of calls that have not ended. */
  end(): readonly LedgerEvent[] {
    const last = this.#admitted(this.#reader.end());
    return [...last, ...this.#admitted(this.#reader.listed?.() ?? [])];
  }

  #admitted(events: readonly LedgerEvent[]): readonly LedgerEvent[] {
    const all = this.#identities?.addTo(events) ?? events;
    for (const event of all) this.#admit(event, this.#source);
    return all;
  }
}

/** `/proc/uptime` counts hundredths of a second. A smaller difference is not a suspend. */
const LEAST_SUSPEND_MS = 50;

/**
 * The zero of the clock of this host's traces, in microseconds since 1970: the boot, computed from the
 * current time of day and the time since the boot.
 */
export function bootMicros(): number {
  // `Date.now` has milliseconds; at the moment it changes, it is exact to a microsecond.
  const begun = Date.now();
  let now = begun;
  while (now === begun) now = Date.now();
  // `hrtime` does not count suspended time, but tracers do.
  const monotonic = Number(process.hrtime.bigint()) / 1e6;
  const suspended = uptimeMs() - monotonic;
  const uptime = monotonic + (suspended > LEAST_SUSPEND_MS ? suspended : 0);
  return Math.round((now - uptime) * 1000);
}

function uptimeMs(): number {
  try {
    return Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 1000 || 0;
  } catch {
    return 0;
  }
}
