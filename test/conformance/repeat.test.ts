import { expect, test } from 'vitest';
import type { Guest } from '../../conformance/guest.ts';
import { hosts, hostWith } from '../../conformance/host.ts';
import { readRecording, recordedProfiles, recordingNames } from '../../conformance/recordings.ts';
import { askAgain } from '../../conformance/repeat.ts';
import { pretended } from './guest.ts';

const profile = 'linux-7.3';
const recording = readRecording(profile, 'drivers');

test('a hundredth of a recording is asked again, another one for another seed', async () => {
  const asked: string[] = [];
  const guest: Guest = {
    ...pretended(profile),
    async perform(sequence) {
      asked.push(sequence.name);
      return await pretended(profile).perform(sequence);
    },
  };
  const { operations, differences } = await askAgain(recording, 1, guest);
  const all = recording.sequences.flatMap(({ answers }) => answers).length;
  expect(operations).toBeGreaterThanOrEqual(all / 100);
  expect(operations).toBeLessThan(all / 20);
  expect(differences).toEqual([]);
  const [first] = [asked.splice(0)];
  await askAgain(recording, 1, guest);
  expect(asked.splice(0)).toEqual(first);
  await askAgain(recording, 2, guest);
  expect(asked).not.toEqual(first);
});

test('an answer that is not the recorded one is told', async () => {
  const honest = pretended(profile);
  const guest: Guest = {
    ...honest,
    async perform(sequence) {
      const [first, ...others] = await honest.perform(sequence);
      return first === undefined ? [] : [{ ...first, rc: -1, errno: 'EIO' }, ...others];
    },
  };
  const { differences } = await askAgain(recording, 1, guest);
  expect(differences.length).toBeGreaterThan(0);
  expect(differences[0]).toMatch(/^\S+ #0 .+: recorded (fd \d+|ok|E[A-Z]+).*, now EIO/);
});

test('every recording is of a host that can be emulated', () => {
  for (const asked of recordedProfiles()) {
    for (const name of recordingNames(asked)) {
      expect(hosts).toContain(hostWith(readRecording(asked, name).topology));
    }
  }
});
