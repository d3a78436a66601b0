import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { GivenAnswer } from '../../conformance/agreement.ts';
import { profiles, type Profile } from '../../machines/profile.ts';
import { parseTopology, type Topology } from '../../scenario/topology.ts';

const folder = new URL('../truth/', import.meta.url);

/** The kernels of which there is a recording of that name. */
export function kernelsAsked(name: string): Profile[] {
  return profiles.filter((profile) => existsSync(new URL(`${profile}/${name}.jsonl.gz`, folder)));
}

/** What a real kernel answered to an operation. */
export interface RecordedAnswer extends GivenAnswer {
  readonly seq: string;
  readonly n: number;
  readonly p: string;
  readonly [extra: string]: unknown;
}

/** A recording, parsed. */
export interface Recording {
  readonly topology: Topology;
  readonly answers: readonly RecordedAnswer[];
}

export function textOf(profile: Profile, name: string): string {
  return gunzipSync(readFileSync(new URL(`${profile}/${name}.jsonl.gz`, folder))).toString();
}

/** The text without what a kernel did not live to answer: after that, nothing is known of the host. */
export function answeredIn(text: string): string {
  const lines = text.split('\n');
  return lines.filter((line) => !line.endsWith('"dead":true}')).join('\n');
}

/** The text up to the end of its first sequences. */
export function firstSequences(text: string, count: number): string {
  const seen = new Set<string>();
  const lines = text.trimEnd().split('\n');
  const end = lines.findIndex((line) => {
    const { seq } = JSON.parse(line) as { seq?: string };
    if (seq !== undefined) seen.add(seq);
    return seen.size > count;
  });
  return lines.slice(0, end < 0 ? lines.length : end).join('\n');
}

export function recording(profile: Profile, name: string): Recording {
  const lines = textOf(profile, name)
    .split('\n')
    .filter((line) => line !== '');
  const values = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const topology = parseTopology(values.find((value) => 'topology' in value));
  const answers = values.filter((value) => 'op' in value) as unknown as RecordedAnswer[];
  return { topology, answers };
}

/** Too long for most tests, which look at other questions than its answers. */
const LONG = 'long-lived';

/** Every recording but the long ones, by kernel and name. */
export function recordings(): [Profile, string][] {
  return allRecordings().filter(([, name]) => name !== LONG);
}

/** Every recording there is, by kernel and name. */
export function allRecordings(): [Profile, string][] {
  const folders = readdirSync(folder);
  return profiles
    .filter((profile) => folders.includes(profile))
    .flatMap((profile) =>
      readdirSync(new URL(`${profile}/`, folder)).map((file): [Profile, string] => [
        profile,
        file.replace('.jsonl.gz', ''),
      ]),
    );
}
