/**
 * What the recorded answers of real kernels have confirmed of the rules.
 *
 * @module
 */
import type { Profile } from '../machines/profile.ts';
import type { Topology } from '../scenario/topology.ts';
import { differenceOf } from './agreement.ts';
import { ObservedHost, type Item } from './coverage.ts';
import {
  askedIn,
  readRecording,
  recordedProfiles,
  recordingNames,
  type RecordedAnswer,
} from './recordings.ts';

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

/** The kernels that were asked, oldest first. */
export function confirmed(): Confirmed[] {
  return recordedProfiles().map(confirmedOf);
}

function confirmedOf(profile: Profile): Confirmed {
  const times = new Map<Item, number>();
  const kernels = new Set<string>();
  const counts = { answers: 0, differing: 0 };
  for (const name of recordingNames(profile)) {
    const { topology, sequences } = readRecording(profile, name);
    kernels.add(topology.kernel);
    for (const { answers } of sequences) {
      const { agreed, items } = replay(answers, topology, profile);
      for (const item of items) times.set(item, (times.get(item) ?? 0) + 1);
      counts.answers += answers.length;
      counts.differing += agreed ? 0 : 1;
    }
  }
  return { profile, kernels: [...kernels].toSorted(), ...counts, times };
}

/** What a sequence has put to the test, up to the first answer that differs. */
function replay(sequence: readonly RecordedAnswer[], topology: Topology, profile: Profile) {
  const observed = new ObservedHost(topology, profile);
  const items = observed.boot('recorded');
  for (const recorded of sequence) {
    const played = observed.play(askedIn(recorded));
    if (recorded.dead === true || recorded.timeout === true) continue;
    if (differenceOf(recorded, played.answer) !== null) return { agreed: false, items };
    items.push(...played.items);
  }
  return { agreed: true, items };
}
