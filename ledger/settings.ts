/**
 * What a caller asks for: a topology and a profile, in the forms that people give them.
 *
 * @module
 */
import { RequestError } from '../events/ledger-error.ts';
import { isProfile, profileOfKernel, profiles, type Profile } from '../machines/profile.ts';
import { parseTopology, type Topology } from '../scenario/topology.ts';

export interface ImportSettings {
  /** Found from the content when left out. */
  readonly format?: string | undefined;
  readonly topology?: unknown;
  readonly profile?: string | undefined;
  /** A line that cannot be read ends it, whatever the format. */
  readonly strict?: boolean | undefined;
  /** When the host booted, in ISO 8601, for traces whose times count from there. */
  readonly booted?: string | undefined;
  /** `YYYY-MM-DD`, for traces that have times of day alone. */
  readonly day?: string | undefined;
  /** `+01:00`, for traces in local time; UTC is assumed where it is left out. */
  readonly zone?: string | undefined;
  /** Told now and then how far it has come; `share` is from 0 to 1, null where nobody can say. */
  readonly progress?: (reading: { readonly lines: number; readonly share: number | null }) => void;
}

export interface SimulateSettings {
  /** By the kernel of the topology when left out. */
  readonly profile?: string | undefined;
  readonly topology: unknown;
}

/** A topology as text or as parsed JSON, with or without its wrapper. Throws `RequestError`. */
export function topologyFrom(given: unknown): Topology {
  if (typeof given === 'string') return topologyFrom(jsonOf(given));
  const wrapped = typeof given === 'object' && given !== null && 'topology' in given;
  return parseTopology(wrapped ? given : { topology: given });
}

/** The first JSON value of a text: all of it, or its first line. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (whole) {
    const [first = ''] = text.trimStart().split('\n');
    try {
      return JSON.parse(first);
    } catch {
      throw new RequestError(`not JSON: ${(whole as Error).message}`);
    }
  }
}

/** A profile by its name. Throws `RequestError`. */
export function profileNamed(name: string): Profile {
  if (isProfile(name)) return name;
  throw new RequestError(`no profile '${name}'; known are ${profiles.join(', ')}`);
}

/** The profile named, else that of the topology's kernel. Throws `RequestError`. */
export function profileFor(
  named: string | undefined,
  { kernel }: Pick<Topology, 'kernel'>,
): Profile {
  if (named !== undefined) return profileNamed(named);
  const profile = profileOfKernel(kernel);
  if (profile !== null) return profile;
  throw new RequestError(`no profile for kernel '${kernel}': name one of ${profiles.join(', ')}`);
}
