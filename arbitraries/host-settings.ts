/**
 * Which hosts are drawn: their topologies and profiles.
 *
 * @module
 */
import fc from 'fast-check';
import { hostGiven, profileNamed, topologyFrom } from '../ledger/settings.ts';
import { kernels, newestKernel, type Profile } from '../machines/profile.ts';
import type { Topology } from '../scenario/topology.ts';
import { topologies } from './topologies.ts';

/** A topology, and the profile whose rules answer. */
export interface HostSettings {
  readonly topology: Topology;
  readonly profile: Profile;
}

/** Which hosts are drawn. */
export interface HostConstraints {
  /** Of every host, as text or parsed; or an arbitrary of topologies. By default `topologies()`. */
  readonly topology?: unknown;
  /** Of every host, or an arbitrary of profiles; by default that of the topology's kernel, or any kernel's. */
  readonly profile?: Profile | fc.Arbitrary<Profile> | undefined;
}

/** Settings of hosts within constraints. Throws `bad-request`. */
export function settingsFor({ topology, profile }: HostConstraints): fc.Arbitrary<HostSettings> {
  const rules = drawn(profile, profileNamed);
  if (topology === undefined) {
    return fc
      .record({
        topology: topologies(),
        profile: rules ?? fc.constantFrom(...kernels.toReversed()),
      })
      .map((host) => ({ ...host, topology: onKernel(host) }));
  }
  return fc
    .record({
      topology: drawn(topology, topologyFrom) ?? topologies(),
      profile: rules ?? fc.constant(undefined),
    })
    .map((host) => hostGiven('hosts', host));
}

/** An arbitrary as it was given, or of a value that is checked; undefined if none was given. */
function drawn<T, Checked>(
  given: T | fc.Arbitrary<Checked> | undefined,
  check: (value: T) => Checked,
): fc.Arbitrary<Checked> | undefined {
  if (given === undefined) return undefined;
  // The caller may have another copy of fast-check.
  const isArbitrary = typeof given === 'object' && given !== null && 'generate' in given;
  return isArbitrary ? (given as fc.Arbitrary<Checked>) : fc.constant(check(given as T));
}

/** A topology with the release of its kernel. */
function onKernel({ topology, profile }: HostSettings): Topology {
  const kernel = kernels.includes(profile) ? profile : newestKernel;
  return { ...topology, kernel: `${kernel.slice('linux-'.length)}.0` };
}
