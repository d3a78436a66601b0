/**
 * The interface of an importer, which turns lines of evidence into events.
 *
 * @module
 */
import { LedgerError, type ErrorCode } from '../events/ledger-error.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import type { PlayedHostAt } from '../machines/host-at.ts';
import type { Topology } from '../scenario/topology.ts';
import type { Zero } from './instants.ts';
import type { SeenCounts } from './messages/seen.ts';
import type { EventsAround } from './messages/recorded-tellings.ts';
import type { ToldAnywhere } from './messages/told.ts';

/** The host before the evidence, as the log knows it. */
export interface HostBefore {
  /** The position after which this was the state of the host; null if it is only assumed. */
  readonly after: number | null;
  readonly host: PlayedHostAt;
}

/** What the caller knows besides the evidence. */
export interface ImportOptions {
  readonly topology: Topology | null;
  /** The profile of the log; null: the kernel that the evidence names decides. */
  readonly profile: string | null;
  /** The profile if neither the evidence nor the topology names a kernel. */
  readonly usualProfile: string;
  /** The zeros of clocks that traces do not state. */
  readonly zero: Zero;
  /**
   * Gives the host before the evidence whose first event has the id `begun`. If that event is in the
   * log already, it is the host before it. Null if the log knows nothing of the host.
   */
  readonly before: (begun: string) => HostBefore | null;
  /** The id of a recording: equal lines of two recordings are different evidence. None for files. */
  readonly session?: string;
  /** What the sources that are imported together have told. Left out: nothing. */
  readonly told?: ToldAnywhere;
  /** Gives the events of the log, for statements that it has already. Left out: there is no log. */
  readonly around?: EventsAround;
  /** Whether a source of the log is a trace that shows calls. Left out: none is. */
  readonly isTrace?: (source: string) => boolean;
  /** When listings without a time were made (ISO 8601, as in the log); null: unknown. */
  readonly taken: string | null;
}

/** How sources are read. */
export interface SourceOptions extends ImportOptions {
  /** Null: the content decides, line by line. */
  readonly format: string | null;
  /** Whether a line that cannot be read is an error in every format. */
  readonly isStrict: boolean;
}

/** Reads one source of evidence, line by line. */
export interface Reader {
  /** The events of a line; `number` counts from 1. Throws `EvidenceError` for a line it cannot read. */
  line(text: string, number: number): readonly LedgerEvent[];
  /**
   * The events of a line that it could not read: a gap, if it shows every process of the host. Left out:
   * there are none.
   */
  unread?(number: number): readonly LedgerEvent[];
  /** The events that are known only at the end. Throws `EvidenceError` if the end is missing. */
  end(): readonly LedgerEvent[];
  /**
   * The events of listings whose time is unknown, after `end`: they stand after what all sources show.
   * Left out: there are none.
   */
  listed?(): readonly LedgerEvent[];
  /** The number of lines so far that it could not interpret. */
  readonly unknown: number;
  /** The number of events at the beginning that are assumed of the host, not read from a line. */
  readonly preamble: number;
  /** The number of lines so far that say nothing to it. Left out: a line is read, or rejected. */
  readonly passedOver?: number | undefined;
  /** Whether it may be spared lines that do not concern VFIO (`messages/concerns.ts`). Left out: no. */
  readonly mayPassOver?: boolean;
  /** Whether a line so far says anything of VFIO. Left out: every line does. */
  readonly says?: boolean;
  /** The number of statements so far, by kind. */
  readonly seen?: SeenCounts;
  /** The ids of events so far that later lines have shown not to have happened; all after `end`. */
  readonly withdrawn?: readonly string[];
  /** Whether the last line completed the one before it, which had been rejected. */
  readonly completes?: boolean;
}

/** One evidence format. */
export interface Importer {
  readonly format: string;
  /** Whether a line is of this format. */
  recognizes(line: string): boolean;
  /** Whether a line that cannot be read is skipped. Otherwise it ends the import. */
  readonly isTolerant: boolean;
  /** Begins to read a source. `source` is its name in the events' `evidence`. */
  read(options: ImportOptions, source: string): Reader;
}

/** Evidence cannot be read (`bad-evidence`), or a newer release wrote it (`newer-schema`). */
export class EvidenceError extends LedgerError {
  override readonly name = 'EvidenceError';

  constructor(message: string, code: ErrorCode = 'bad-evidence') {
    super(code, message);
  }
}

/** More would have to be kept until the end of the evidence than fits into memory; `bad-evidence`. */
export class TooMuchError extends EvidenceError {}

/** Parses a line as a JSON object. Throws `EvidenceError`. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new EvidenceError(`not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new EvidenceError('not a JSON object');
  }
  return value as Readonly<Record<string, unknown>>;
}

/** The keys of a line that is a JSON object; none if it is not. */
export function keysOf(line: string): readonly string[] {
  if (!/^\s*\{/.test(line)) return [];
  try {
    return Object.keys(parseObject(line));
  } catch {
    return [];
  }
}
