import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { profiles, type Profile } from '../../machines/profile.ts';
import { parseTopology, type Topology } from '../../scenario/topology.ts';

const folder = new URL('../truth/', import.meta.url);

/** What a real kernel answered to an operation. */
export interface RecordedAnswer {
  readonly seq: string;
  readonly n: number;
  readonly p: string;
  readonly op: string;
  readonly rc: number | null;
  readonly errno?: string;
  readonly [extra: string]: unknown;
}

/** A recording, parsed. */
export interface Recording {
  readonly topology: Topology;
  readonly answers: readonly RecordedAnswer[];
}

export function recording(profile: Profile, name: string): Recording {
  const text = gunzipSync(readFileSync(new URL(`${profile}/${name}.jsonl.gz`, folder))).toString();
  const lines = text.split('\n').filter((line) => line !== '');
  const values = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const topology = parseTopology(values.find((value) => 'topology' in value));
  const answers = values.filter((value) => 'op' in value) as unknown as RecordedAnswer[];
  return { topology, answers };
}

/** Every recording there is, by kernel and name. */
export function recordings(): [Profile, string][] {
  return profiles.flatMap((profile) =>
    readdirSync(new URL(`${profile}/`, folder)).map((file): [Profile, string] => [
      profile,
      file.replace('.jsonl.gz', ''),
    ]),
  );
}
