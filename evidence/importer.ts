/**
 * What every importer is: lines of evidence in, events out.
 *
 * @module
 */
import { LedgerError, type ErrorCode } from '../events/ledger-error.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import type { PlayedHostAt } from '../machines/host-at.ts';
import type { Topology } from '../scenario/topology.ts';
import type { Zero } from './instants.ts';

/** How a host stood before evidence, as far as the log knows. */
export interface HostBefore {
  /** The position after which it stood so; null where it was only taken to. */
  readonly after: number | null;
  readonly host: PlayedHostAt;
}

/** What the caller knows beside the evidence. */
export interface ImportOptions {
  readonly topology: Topology | null;
  /** Whose rules judge the log; null leaves it to the kernel that the evidence names. */
  readonly profile: string | null;
  /** Whose rules judge it where nobody names a kernel at all. */
  readonly usualProfile: string;
  /** When the clocks of traces stood at zero, where they do not say. */
  readonly zero: Zero;
  /**
   * How the host stood before the evidence of which the first event has that id: where it is in the
   * log already, as it stood then. Null where the log knows nothing of the host.
   */
  readonly before: (begun: string) => HostBefore | null;
  /** Which recording it is: the same lines of another are other evidence. Left out for files. */
  readonly session?: string;
}

/** Reads one piece of evidence, line by line. A line that it cannot read throws `EvidenceError`. */
export interface Reader {
  /** The events that a line shows; none where it shows none. `number` counts from 1. */
  line(text: string, number: number): readonly LedgerEvent[];
  /** What is known only at the end, where evidence that breaks off is noticed. */
  end(): readonly LedgerEvent[];
  /** Lines read so far that say something nobody understands. */
  readonly unknown: number;
  /** Of the events given first, how many say what nobody has seen: the host as it is taken to be. */
  readonly preamble: number;
}

export interface Importer {
  readonly format: string;
  /** Whether a first line is of this format. */
  recognizes(line: string): boolean;
  /** Whether a line that cannot be read is passed over; otherwise it ends the import. */
  readonly isTolerant: boolean;
  /** `source` is what events say they were read from. */
  read(options: ImportOptions, source: string): Reader;
}

/** A line that cannot be read, or evidence that breaks off. */
export class EvidenceError extends LedgerError {
  override readonly name = 'EvidenceError';

  constructor(message: string, code: ErrorCode = 'bad-evidence') {
    super(code, message);
  }
}

/** A line as a JSON object. Throws `EvidenceError`. */
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

/** The keys of a line that may be a JSON object; none where it is not. */
export function keysOf(line: string): readonly string[] {
  if (!/^\s*\{/.test(line)) return [];
  try {
    return Object.keys(parseObject(line));
  } catch {
    return [];
  }
}
