/**
 * What the recorded answers of real kernels have confirmed of the rules.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { profiles, type Profile } from '../machines/profile.ts';
import { parseTopology, type Topology } from '../scenario/topology.ts';
import { differenceOf } from './agreement.ts';
import type { KernelSaid } from './comparison.ts';
import { ObservedHost, type Item } from './coverage.ts';
import { operation } from './sequences/alphabet.ts';

const folder = new URL('../test/truth/', import.meta.url);

/** What the recordings of one kernel show. */
export interface Confirmed {
  readonly profile: Profile;
  /** The releases that were asked. */
  readonly kernels: readonly string[];
  readonly answers: number;
  readonly differing: number;
  /** How often each transition was taken and each refusal met, the kernel agreeing so far. */
  readonly times: ReadonlyMap<Item, number>;
}

type RecordedLine = KernelSaid & { readonly seq: string; readonly p: string };

/** The kernels that were asked, oldest first. */
export function confirmed(): Confirmed[] {
  const known = readdirSync(folder);
  return profiles.filter((profile) => known.includes(profile)).map(confirmedOf);
}

function confirmedOf(profile: Profile): Confirmed {
  const times = new Map<Item, number>();
  const kernels = new Set<string>();
  const counts = { answers: 0, differing: 0 };
  for (const name of readdirSync(new URL(`${profile}/`, folder))) {
    const text = gunzipSync(readFileSync(new URL(`${profile}/${name}`, folder))).toString();
    const values = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
    const topology = parseTopology(values.find((value) => 'topology' in value));
    kernels.add(topology.kernel);
    const answers = values.filter((value) => 'op' in value) as RecordedLine[];
    for (const sequence of Map.groupBy(answers, ({ seq }) => seq).values()) {
      const { agreed, items } = replay(sequence, topology, profile);
      for (const item of items) times.set(item, (times.get(item) ?? 0) + 1);
      counts.answers += sequence.length;
      counts.differing += agreed ? 0 : 1;
    }
  }
  return { profile, kernels: [...kernels].toSorted(), ...counts, times };
}

/** What a sequence has put to the test, up to the first answer that differs. */
function replay(sequence: readonly RecordedLine[], topology: Topology, profile: Profile) {
  const observed = new ObservedHost(topology, profile);
  const items = observed.boot('recorded');
  for (const recorded of sequence) {
    const own = /^P\d$/.test(recorded.p);
    const played = observed.play(operation(own ? `@${recorded.p} ${recorded.op}` : recorded.op));
    if (recorded.dead === true || recorded.timeout === true) continue;
    if (differenceOf(recorded, played.answer) !== null) return { agreed: false, items };
    items.push(...played.items);
  }
  return { agreed: true, items };
}
