/**
 * Writes a scenario to files, with the log that it gives, so that it can be played and asked after its
 * process has ended.
 *
 * @module
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseScenario, simulate } from '../host/simulation.ts';
import { genesisOf, sha256 } from '../log/hash.ts';
import type { Profile } from '../machines/profile.ts';
import type { Topology } from '../scenario/topology.ts';
import { appendAtOnce, makeFolder } from './kept-log.ts';
import { DEFAULT_HOST } from './stream-named.ts';

/** A scenario in files: its text, its topology, and the log that it gives. */
export interface KeptScenario {
  readonly scenario: string;
  readonly topology: string;
  readonly log: string;
}

let folder: string | null = null;
const scenarios = new Map<string, KeptScenario>();

/**
 * Plays a scenario as `simulate` does, and writes it to files, all in one folder. The same scenario is
 * written once. Throws `unavailable`, or an error of the file system, if they cannot be written.
 */
export function keptScenario(text: string, { topology, profile }: SimulatedHost): KeptScenario {
  if (folder === null || !existsSync(folder)) {
    folder = makeFolder();
    scenarios.clear();
  }
  const key = sha256(JSON.stringify([profile, topology, text])).slice(0, 12);
  const known = scenarios.get(key);
  if (known !== undefined) return known;
  const path = (ending: string) => join(folder ?? '', `${key}.${ending}`);
  const kept = {
    scenario: path('scenario'),
    topology: path('topology.json'),
    log: path('ledger'),
  };
  writeFileSync(kept.scenario, text, { mode: 0o600 });
  writeFileSync(kept.topology, `${JSON.stringify({ topology })}\n`, { mode: 0o600 });
  const seed = genesisOf(DEFAULT_HOST);
  const played = simulate(parseScenario(text), topology, profile, { seed, digest: sha256 });
  appendAtOnce(
    kept.log,
    DEFAULT_HOST,
    [...played].flatMap(({ events }) => events),
  );
  scenarios.set(key, kept);
  return kept;
}

interface SimulatedHost {
  readonly topology: Topology;
  readonly profile: Profile;
}
