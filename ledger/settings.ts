/**
 * Settings of imports and simulations, and their checks: topologies, profiles.
 *
 * @module
 */
import { objectGiven, textGiven } from '../events/given.ts';
import { RequestError } from '../events/ledger-error.ts';
import { meantClause } from '../events/nearest.ts';
import { profileOfKernel } from '../machines/eras.ts';
import { isProfile, profiles, type Profile } from '../machines/profile.ts';
import { parseTopology, type Topology } from '../scenario/topology.ts';

/** Options of `openLedger`. */
export interface OpenOptions {
  /** Name of the host whose stream is opened; by default the only one of the log. */
  readonly host?: string;
  /**
   * True: open an existing log, and never change its files. Add `derived: false` to leave its
   * folder unchanged as well.
   */
  readonly readOnly?: boolean;
  /** False: reject with `not-a-log` if there is no log, instead of creating one. */
  readonly create?: boolean;
  /** The last position to read; by default the head. */
  readonly until?: number;
  /** False: do not read or write LOG.index. */
  readonly derived?: boolean;
  /** The present, for the moments `now` and `-10m`; by default the clock of this machine. */
  readonly clock?: () => Date;
  /** Called from time to time with the number of events read. */
  readonly progress?: (read: number) => void;
  /** Called with what is to be known of a server or its replica, in a sentence. */
  readonly note?: (words: string) => void;
}

/** Options of `verify`. */
export interface VerifyOptions {
  /**
   * Heads of this log that were kept: `POSITION:HASH` (64 hex digits), or `HOST=POSITION:HASH` of
   * another host in the log. `examine` checks what leads to the heads of other hosts.
   */
  readonly head?: string | readonly string[];
  /**
   * True: work out for every refusal whether the index answers its cause, its blocker and
   * `wouldPassAfter` rightly; by default for one in a thousand.
   */
  readonly exhaustive?: boolean;
}

/** Settings of `import`. */
export interface ImportSettings {
  /** Name of the importer, such as `strace`; by default detected from the content. */
  readonly format?: string | undefined;
  /** Devices of the host, for traces that do not show them; see `topologyFrom`. */
  readonly topology?: unknown;
  /**
   * Profile that judges the evidence; by default that of its kernel, or of the newest if none
   * shows.
   */
  readonly profile?: string | undefined;
  /** True: a line that cannot be read is an error, in every format. */
  readonly strict?: boolean | undefined;
  /** When the host booted, ISO 8601, for traces whose times are uptimes. */
  readonly booted?: string | undefined;
  /** `YYYY-MM-DD`, for traces that have only times of day. */
  readonly day?: string | undefined;
  /**
   * When listings without a time of their own were made: ISO 8601, `now`, a time before now (`-10m`), or
   * with `day` a time of day (`HH:MM`, UTC). Without it they have no time, and stand last.
   */
  readonly taken?: string | undefined;
  /** The present, for `taken`; by default the clock of the ledger. */
  readonly clock?: (() => Date) | undefined;
  /** Offset from UTC such as `+01:00`, for traces in local time; by default UTC is assumed. */
  readonly zone?: string | undefined;
  /** Called from time to time; `share` is what has been read, from 0 to 1, null if unknown. */
  readonly progress?: (reading: { readonly lines: number; readonly share: number | null }) => void;
}

/** Settings of `simulate`. */
export interface SimulateSettings {
  /** By default that of the topology's kernel. */
  readonly profile?: string | undefined;
  /** The host to simulate; see `topologyFrom`. */
  readonly topology: unknown;
}

/**
 * A topology from JSON text or a parsed value: the topology itself, or an object with the key
 * `topology`. Throws `bad-request`.
 */
export function topologyFrom(given: unknown): Topology {
  if (typeof given === 'string') return topologyFrom(jsonOf(given));
  const wrapped = typeof given === 'object' && given !== null && 'topology' in given;
  return parseTopology(wrapped ? given : { topology: given });
}

/** The JSON value of a whole text, or else of its first line. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (whole) {
    const [first = ''] = text.trimStart().split('\n');
    try {
      return JSON.parse(first);
    } catch {
      throw new RequestError(`the topology is not JSON: ${(whole as Error).message}`);
    }
  }
}

/** The host that settings describe, for a method that simulates one. Throws `bad-request`. */
export function hostGiven(
  method: string,
  settings: SimulateSettings,
): { readonly topology: Topology; readonly profile: Profile } {
  const given = objectGiven(method, 'settings with a topology', settings);
  const topology = topologyFrom(given.topology);
  return { topology, profile: profileFor(given.profile, topology) };
}

/** A profile by its name. Throws `bad-request`, which lists the names. */
export function profileNamed(given: string): Profile {
  const name = textGiven(given);
  if (isProfile(name)) return name;
  const meant = meantClause(name, profiles);
  throw new RequestError(`no profile '${name}'; known are ${profiles.join(', ')}${meant}`);
}

/** The named profile, else that of a kernel release such as `6.12.1`. Throws `bad-request`. */
export function profileFor(
  named: string | undefined,
  { kernel }: Pick<Topology, 'kernel'>,
): Profile {
  if (named !== undefined) return profileNamed(named);
  const profile = profileOfKernel(kernel);
  if (profile !== null) return profile;
  throw new RequestError(`no profile for kernel '${kernel}': name one of ${profiles.join(', ')}`);
}
