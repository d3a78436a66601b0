import { expect, test } from 'vitest';
import { RequestError } from '../../ledger.ts';
import { given } from '../../virtual-host/virtual-host.ts';

const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [
    { name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' },
    { name: 'audio', bdf: '0000:3b:00.1', group: 26, driver: 'vfio-pci', cdev: 'vfio1' },
  ],
};
const settings = { topology, profile: 'linux-7.3' };
const bound = 'open_iommufd I\nopen_cdev A gpu\nbind A I\n';
const second = `${bound}@P2 open_iommufd J\n@P2 open_cdev B audio\n`;

test('an operation after a scenario answers as expected', () => {
  const owned = given(second, settings);
  owned.when('@P2 bind B J').then({ errno: 'EPERM', cause: 'owned-by-other-iommufd' });
  // Each operation is tried after the scenario, and not after the one before.
  owned.when('@P2 open_group G g26').then({ errno: 'EBUSY' });
  owned.when('close A').then({ errno: null });
  given('', settings).when('open_group G gpu').then({ errno: null });
  given('open_group G gpu', settings).when('group_status G').then({ viable: true });
});

test('the ledger has the whole story', () => {
  const { answer, ledger } = given(second, settings).when('@P2 bind B J');
  expect(answer).toMatchObject({ rc: -1, p: 'P2', op: 'bind B J' });
  expect(ledger.why(ledger.length - 1).blocker?.holders).toMatchObject([{ comm: 'P1' }, {}]);
});

/** The text of the error that a call throws. */
function failureOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error('nothing failed');
}

test('another answer fails with the whole story, as a matcher does', () => {
  const tried = given(second, settings).when('@P2 bind B J');
  expect(failureOf(() => tried.then({ errno: 'EINVAL', cause: 'device-open-elsewhere' }))).toBe(
    `then: @P2 bind B J, at position 10

Expected: errno EINVAL, cause device-open-elsewhere
Got:      errno EPERM, cause owned-by-other-iommufd

position 10: P2[102] tried bind fd=4 iommufd=3 and got EPERM
cause: owned-by-other-iommufd (another iommufd owns the DMA of the group)
in the way: iommufd f4, kept alive by
  P1[101]  fd 3  file f4
  P1[101]  fd 4  file f5
because of:
  6  P1[101] bound the device of fd 4 to the iommufd of fd 3
it would not pass at any later position of this log

Events:
   5   P1[101] opened device 0000:3b:00.0 as fd 4
   6   P1[101] bound the device of fd 4 to the iommufd of fd 3
   7   P2[102] started
   8   P2[102] opened an iommufd as fd 3
   9   P2[102] opened device 0000:3b:00.1 as fd 4
>  10  P2[102] tried bind fd=4 iommufd=3 and got EPERM

No log holds these events`,
  );
  expect(failureOf(() => tried.then({ errno: null }))).toContain('errno null (it passes)\nGot: ');
  const opened = given('', settings).when('open_group G gpu');
  expect(failureOf(() => opened.then({ errno: 'EBUSY' }))).toMatch(
    /^then: @P1 open_group G gpu, at position 4\n\nExpected: errno EBUSY\nGot: {6}errno null \(it passes\)\n\nEvents:\n/,
  );
  expect(failureOf(() => opened.then({ cause: 'no-such-node' }))).toContain('Got:      cause none');
  const waited = given('', settings).when('@P2 bg_wait');
  expect(failureOf(() => waited.then({ errno: null }))).toMatch(/^then: bg_wait, at position 3\n/);
});

test('what cannot be asked is a bad request', async () => {
  const tried = given('', settings).when('open_group G gpu');
  expect(() => tried.then((() => null) as never)).toThrow(RequestError);
  await expect((async () => tried as unknown)()).rejects.toThrow('is no promise');
  expect(() => tried.then({})).toThrow('at least one key');
  expect(() => tried.then({ erno: 'EBUSY' } as never)).toThrow(
    "no answer has the key 'erno'; nearest is errno",
  );
  expect(() => given('open_grup G gpu', settings)).toThrow(
    "scenario:1: unknown operation 'open_grup'",
  );
  expect(() => given('open_cdev A gpuu', settings)).toThrow(
    "scenario:1: open_cdev: the topology has no device 'gpuu'; there are gpu, audio; did you mean gpu?",
  );
  expect(() => given('', settings).when('open_cdev A 0000:3b:00.2')).toThrow(
    "open_cdev: the topology has no device '0000:3b:00.2'; there are gpu, audio; did you mean 0000:3b:00.1?",
  );
  expect(() => given('open_group G g62', settings)).toThrow("no group 'g62'");
  expect(() => given('', settings).when('seq again')).toThrow(
    "when takes one operation, not 'seq again'",
  );
  expect(() => given('', settings).when('')).toThrow(RequestError);
  expect(() => given(7 as never, settings)).toThrow('given takes a scenario as a string');
});
