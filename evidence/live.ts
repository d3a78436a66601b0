/**
 * Evidence that is read while it comes to be, line by line, without an end in sight.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import type { LedgerEvent } from '../events/vocabulary.ts';
import type { Rejected } from './collect.ts';
import { EvidenceError, type Importer, type ImportOptions, type Reader } from './importer.ts';
import { importerOf } from './importers.ts';
import { LONGEST_LINE } from './source.ts';

/** What an event of a recording may be taken for. */
type Admit = (event: LedgerEvent) => void;

/** More rejected lines than these are counted and not shown. */
const MOST_SHOWN = 100;

export class LiveReader {
  /** Lines read. */
  read = 0;
  rejectedCount = 0;
  /** The first of the lines that could not be read. */
  readonly rejected: Rejected[] = [];
  readonly #importer: Importer;
  readonly #reader: Reader;
  readonly #source: string;
  readonly #admit: Admit;

  /** Throws `RequestError` where there is no such format. */
  constructor(format: string, source: string, options: ImportOptions & { readonly admit: Admit }) {
    this.#importer = importerOf(format);
    this.#reader = this.#importer.read(options, source);
    this.#source = source;
    this.#admit = options.admit;
  }

  /** Lines that said something nobody understands. */
  get unknown(): number {
    return this.#reader.unknown;
  }

  /** Throws `EvidenceError` for a line of a format that allows no such. */
  line(text: string): readonly LedgerEvent[] {
    this.read++;
    try {
      if (text.length >= LONGEST_LINE) throw new EvidenceError('the line is too long');
      return this.#admitted(this.#reader.line(text, this.read));
    } catch (error) {
      if (!this.#importer.isTolerant || !(error instanceof EvidenceError)) throw error;
      this.rejectedCount++;
      const { message: reason } = error;
      if (this.rejected.length < MOST_SHOWN) {
        this.rejected.push({ file: this.#source, line: this.read, reason });
      }
      return [];
    }
  }

  /** What was begun and came to no end. */
  end(): readonly LedgerEvent[] {
    return this.#admitted(this.#reader.end());
  }

  #admitted(events: readonly LedgerEvent[]): readonly LedgerEvent[] {
    for (const event of events) this.#admit(event);
    return events;
  }
}

/** `/proc/uptime` has hundredths of a second; what is less is no suspend. */
const LEAST_SUSPEND_MS = 50;

/**
 * When the clock of this host's traces stood at zero, in microseconds since 1970: the boot, as the
 * time since then and the time of day have it now.
 */
export function bootMicros(): number {
  // The time of day is had to the millisecond, and at its turn to the microsecond.
  const begun = Date.now();
  let now = begun;
  while (now === begun) now = Date.now();
  // Leaves out what time was spent suspended, which tracers count.
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
