/**
 * The recorded answers of real kernels, by kernel and name (`test/truth/`).
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { profiles, type Profile } from '../machines/profile.ts';
import type { OperationStatement } from '../scenario/language.ts';
import { parseTopology, type Topology } from '../scenario/topology.ts';
import type { KernelSaid } from './comparison.ts';
import { operation } from './sequences/alphabet.ts';

const folder = new URL('../test/truth/', import.meta.url);

export type RecordedAnswer = KernelSaid & { readonly seq: string; readonly p: string };

/** Operations of fresh processes on a fresh host, with the answer to each. */
export interface RecordedSequence {
  readonly name: string;
  readonly answers: readonly RecordedAnswer[];
}

export interface Recording {
  readonly topology: Topology;
  readonly sequences: readonly RecordedSequence[];
}

/** The profiles of the kernels that were asked, oldest first. */
export function recordedProfiles(): Profile[] {
  const known = readdirSync(folder);
  return profiles.filter((profile) => known.includes(profile));
}

/** The names of the recordings of a kernel. */
export function recordingNames(profile: Profile): string[] {
  const files = readdirSync(new URL(`${profile}/`, folder));
  return files.map((file) => file.replace(/\.jsonl\.gz$/, ''));
}

export function readRecording(profile: Profile, name: string): Recording {
  const bytes = readFileSync(new URL(`${profile}/${name}.jsonl.gz`, folder));
  const lines = gunzipSync(bytes).toString().split('\n');
  const values = lines.flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  const answers = values.filter((value) => 'op' in value) as RecordedAnswer[];
  return {
    topology: parseTopology(values.find((value) => 'topology' in value)),
    sequences: [...Map.groupBy(answers, ({ seq }) => seq)].map(([seq, own]) => {
      return { name: seq, answers: own };
    }),
  };
}

/** The operation that was answered. */
export function askedIn({ p, op }: RecordedAnswer): OperationStatement {
  return operation(/^P\d$/.test(p) ? `@${p} ${op}` : op);
}
