/**
 * `--repeat`: asks kernels a part of their recordings again. The answers have to be the recorded ones:
 * then these follow from the kernel and the host, and not from the run that recorded them.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { Profile } from '../machines/profile.ts';
import { differenceOf } from './agreement.ts';
import type { Guest } from './guest.ts';
import { hosts, hostWith, type EmulatedHost } from './host.ts';
import { boot } from './reboots.ts';
import {
  askedIn,
  readRecording,
  recordingNames,
  type Recording,
  type RecordedSequence,
} from './recordings.ts';

/** One in so many operations of each recording is asked again, and at least one whole sequence. */
const ONE_IN = 100;

/** What came of a recording. */
interface Repeated {
  readonly operations: number;
  /** The answers that differ, in words. */
  readonly differences: readonly string[];
}

/**
 * Asks the kernel of a profile again; tells each recording that it has compared. Returns how many
 * answers differ. Rejects where a guest fails.
 */
export async function repeatRecordings(
  profile: Profile,
  seed: number,
  say: (text: string) => void,
  tell: (text: string) => void,
): Promise<number> {
  const recordings = recordingNames(profile).map((name) => {
    const recording = readRecording(profile, name);
    return { name, recording, host: hostWith(recording.topology) };
  });
  let differing = 0;
  for (const host of hosts) {
    const own = recordings.filter((one) => one.host === host);
    if (own.length === 0) continue;
    await onHost(
      profile,
      host,
      async (guest) => {
        for (const { name, recording } of own) {
          tell(`${profile}: ${name}`);
          const repeated = await askAgain(recording, seed, guest);
          differing += repeated.differences.length;
          for (const line of linesOf(`${profile}/${name}`, repeated)) say(line);
        }
      },
      tell,
    );
  }
  return differing;
}

async function onHost(
  profile: Profile,
  host: EmulatedHost,
  ask: (guest: Guest) => Promise<void>,
  onProgress: (text: string) => void,
): Promise<void> {
  const guest = await boot(profile, host, { onProgress });
  try {
    await ask(guest);
  } finally {
    await guest.close();
  }
}

/** Asks a guest again, and compares. */
export async function askAgain(
  { sequences }: Recording,
  seed: number,
  guest: Guest,
): Promise<Repeated> {
  const differences: string[] = [];
  let operations = 0;
  for (const { name: seq, answers } of part(sequences, seed)) {
    const asked = { name: seq, operations: answers.map(askedIn) };
    const given = await guest.perform(asked);
    for (const [at, recorded] of answers.entries()) {
      operations++;
      const again = given[at];
      if (recorded.dead === true || recorded.timeout === true || again === undefined) continue;
      const difference = differenceOf(recorded, again);
      if (difference === null) continue;
      const { kernel, ours } = difference;
      differences.push(`${seq} #${at} ${recorded.op}: recorded ${kernel}, now ${ours}`);
    }
  }
  return { operations, differences };
}

/** Sequences with a hundredth of all operations, others for another seed. */
function part(sequences: readonly RecordedSequence[], seed: number): RecordedSequence[] {
  const rank = ({ name }: RecordedSequence): string =>
    createHash('sha256').update(`${seed} ${name}`).digest('hex');
  const all = sequences.reduce((sum, { answers }) => sum + answers.length, 0);
  const ranked = new Map(sequences.map((sequence) => [rank(sequence), sequence]));
  const chosen: RecordedSequence[] = [];
  let left = all / ONE_IN;
  for (const [, sequence] of [...ranked].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (left <= 0) break;
    chosen.push(sequence);
    left -= sequence.answers.length;
  }
  return chosen;
}

function linesOf(recording: string, { operations, differences }: Repeated): string[] {
  const count = differences.length;
  const what = `${operations} operations asked again, ${count} answers differ`;
  return [...differences.map((line) => `  ${line}`), `${recording}: ${what}`];
}
