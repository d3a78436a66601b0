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

test('another answer is an error that says why', () => {
  const tried = given(second, settings).when('@P2 bind B J');
  expect(() => tried.then({ errno: 'EINVAL', cause: 'device-open-elsewhere' })).toThrow(
    `bind B J: expected errno EINVAL, cause device-open-elsewhere, but it answered errno EPERM, cause owned-by-other-iommufd
position 10: P2[102] tried bind fd=4 iommufd=3 and got EPERM
cause: owned-by-other-iommufd`,
  );
  expect(() => tried.then({ errno: null })).toThrow('expected errno null (it passes), but');
  expect(() => given('', settings).when('open_group G gpu').then({ errno: 'EBUSY' })).toThrow(
    /^open_group G gpu: expected errno EBUSY, but it answered errno null \(it passes\)$/,
  );
  expect(() =>
    given('', settings).when('open_group G gpu').then({ cause: 'no-such-node' }),
  ).toThrow('but it answered cause none');
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
