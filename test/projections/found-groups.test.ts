/**
 * Groups that existed before the first event that tells of them.
 *
 * @module
 */
import { describe, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../ledger.ts';
import type { Evidence, Fact, LedgerEvent } from '../../events/vocabulary.ts';

const seen: Evidence = { source: 'trace', line: 1, certainty: 'observed' };
const inferred: Evidence = { ...seen, certainty: 'inferred', rule: 'got-from-its-group' };
const assumed: Evidence = { ...seen, certainty: 'assumed', rule: 'as-the-topology-says' };

function booted(evidence: Evidence | null): Fact {
  const data = { boot: 'b', kernel: '6.12.0', profile: null, iommufd: true, simulated: false };
  return { type: 'host.booted', data: { ...data, ...(evidence && { evidence }) } };
}

function added(
  device: string,
  group: string,
  evidence: Evidence | null,
  driver = 'vfio-pci',
): Fact {
  const data = { device, name: null, group, driver, model: null, cdev: null };
  return { type: 'device.added', data: { ...data, ...(evidence && { evidence }) } };
}

const process: Fact = {
  type: 'process.found',
  data: { pid: 7, comm: 'qemu', cgroup: null, evidence: seen },
};
const removed: Fact = { type: 'process.exited', data: { pid: 7, signal: null, evidence: seen } };

async function ledgerOf(...facts: readonly Fact[]): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  const events = facts.map((fact, index) => ({ ...fact, id: `${index}`, time: null }));
  await ledger.append(-1, events as LedgerEvent[]);
  await ledger.refresh();
  return ledger;
}

const GPU = '0000:3b:00.0';
const kindsOf = (ledger: Ledger, word: string) =>
  ledger.history(word).map(({ from, owner }) => [from, owner.kind]);

test('a group that goes with a boot and is found again has its owner since then', async () => {
  const found: Fact = { type: 'group.found', data: { group: '26', evidence: seen } };
  const first = added(GPU, '26', inferred);
  const ledger = await ledgerOf(booted(assumed), process, first, booted(assumed), found);
  expect(kindsOf(ledger, '26')).toEqual([
    [null, 'unknown'],
    [2, 'none'],
    [4, 'unknown'],
  ]);
  expect(ledger.who('26').since).toBe(4);
  expect(ledger.at(4).owner('26').since).toBe(4);
  expect(ledger.at(4).table().groups).toMatchObject([{ since: 4 }]);
  expect(ledger.bisect({ where: 'group 26 since = 2' })?.position).toBe(2);
  expect(ledger.bisect({ where: 'group 26 since = 4' })?.position).toBe(4);
  expect(ledger.bisect({ where: 'group 26 since = null' })).toBeNull();
});

describe('a device that is found in the middle of a log', () => {
  const log = async (evidence: Evidence | null, boot: Evidence | null = assumed) =>
    ledgerOf(booted(boot), process, added(GPU, '26', evidence), removed);

  test.each([
    ['a rule concludes it', inferred, assumed],
    ['a reading shows it', { ...seen, rule: 'read-from-the-host' }, assumed],
    ['a line shows it, and no boot was seen', seen, assumed],
    ['a rule concludes it after a boot', inferred, seen],
  ])('has a group whose owner was unknown until then: %s', async (_why, evidence, boot) => {
    const ledger = await log(evidence, boot);
    expect(ledger.at(1).who('26').owner.kind).toBe('unknown');
    expect(ledger.at(1).owner('26')).toMatchObject({ kind: 'unknown', since: null });
    expect(ledger.at(2).who('26')).toMatchObject({ owner: { kind: 'none' }, since: 2 });
    expect(ledger.at(3).owner('26')).toMatchObject({ kind: 'none', since: 2 });
    expect(ledger.at(3).table().groups).toMatchObject([{ group: '26', since: 2 }]);
    expect(kindsOf(ledger, '26')).toEqual([
      [null, 'unknown'],
      [2, 'none'],
    ]);
    expect(ledger.diff('start', 'end').changes).toMatchObject([
      { subject: '26', before: { kind: 'unknown' }, after: { kind: 'none' }, position: 2 },
    ]);
    expect(ledger.diff(2, 'end').changes).toEqual([]);
    expect(ledger.verify().faults).toEqual([]);
  });

  test.each([
    ['the topology says so', assumed, assumed],
    ['it came after a boot that was seen', seen, seen],
    ['the host was recorded from its boot on', null, null],
  ])('has a group that nobody had: %s', async (_why, evidence, boot) => {
    const ledger = await log(evidence, boot);
    expect(kindsOf(ledger, '26')).toEqual([[null, 'none']]);
    expect(ledger.at(3).owner('26')).toMatchObject({ kind: 'none', since: null });
    expect(ledger.verify().faults).toEqual([]);
  });

  test('is owned by its kernel driver from then on', async () => {
    const ledger = await ledgerOf(booted(assumed), process, added(GPU, '26', inferred, 'nvidia'));
    expect(kindsOf(ledger, '26')).toEqual([
      [null, 'unknown'],
      [2, 'kernel'],
    ]);
    expect(ledger.verify().faults).toEqual([]);
  });
});

test('where a log begins with what the host has, nothing shows who owned its groups before', async () => {
  const reading = { ...seen, rule: 'read-from-the-host' };
  const ledger = await ledgerOf(booted(assumed), added(GPU, '26', reading), process);
  expect(kindsOf(ledger, '26')).toEqual([
    [null, 'unknown'],
    [1, 'none'],
  ]);
  expect(ledger.at(0).who('26').owner.kind).toBe('unknown');
});

test('a topology is a statement about the host from the start of the log on', async () => {
  const ledger = await ledgerOf(booted(assumed), added(GPU, '26', assumed), process);
  expect(kindsOf(ledger, '26')).toEqual([[null, 'none']]);
});

describe('evidence that finds a group says at no position that nobody has it', () => {
  const ownersIn = async (text: string): Promise<string[]> => {
    const ledger = await openLedger(':memory:');
    await ledger.import(text);
    expect(ledger.verify().faults).toEqual([]);
    expect(kindsOf(ledger, '26')).toEqual([[null, 'unknown']]);
    return ledger.events.map(({ position }) => ledger.at(position).owner('26').kind);
  };

  test.each([
    ['a message of the kernel', `[ 1.5] vfio-pci ${GPU}: Adding to iommu group 26`],
    ['a listing of groups', `/sys/kernel/iommu_groups/26/devices/${GPU}`],
    [
      'a listing of files',
      '$ ls -l /proc/7/fd\nlrwx------ 1 root root 64 Jan  5 10:00 23 -> /dev/vfio/26',
    ],
    ['a refusal', `vfio ${GPU}: failed to open /dev/vfio/26: Device or resource busy`],
    [
      'an opener that the kernel names',
      `[ 1.5] vfio-pci ${GPU}: Adding to iommu group 26
[ 2.5] vfio-pci ${GPU}: vfio-noiommu device opened by user (vpp:1053)`,
    ],
  ])('%s', async (_what, text) => {
    expect(new Set(await ownersIn(text))).toEqual(new Set(['unknown']));
  });

  test('but one whose driver owns it then', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import(`[ 1.5] nouveau ${GPU}: Adding to iommu group 26`);
    expect(kindsOf(ledger, '26').map(([, kind]) => kind)).toEqual(['unknown', 'kernel']);
  });

  test('nor does a file that was open before anybody looked, where another one was known', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import(`7 1764150000.1 openat(AT_FDCWD, "/dev/vfio/vfio", O_RDWR) = 7
7 1764150000.2 openat(AT_FDCWD, "/dev/vfio/26", O_RDWR) = 8
7 1764150000.3 ioctl(8, VFIO_GROUP_SET_CONTAINER, [7]) = 0
9 1764150009.1 ioctl(3</dev/vfio/26>, VFIO_GROUP_GET_STATUS, {argsz=8, flags=0}) = 0
`);
    expect(ledger.history('26').map(({ owner }) => owner.kind)).toEqual([
      'unknown',
      'container',
      'unknown',
    ]);
  });
});
