import { describe, expect, test } from 'vitest';
import {
  openLedger,
  type Change,
  type FileView,
  type Holder,
  type Ledger,
  type Table,
} from '../../ledger.ts';
import type { Untimed } from '../../projections/timed.ts';
import { bruteForceTable, type TableNow } from '../support/brute-force.ts';
import { stepped } from '../support/hands.ts';
import { OwnershipTrail } from '../support/ownership-trail.ts';
import { answeredIn, firstSequences, kernelsAsked, textOf } from '../support/truth.ts';
import { differenceOf } from '../support/table-report.ts';
import { countOf, someOf } from '../support/effort.ts';
import { withTimes } from '../support/times-beside.ts';

const all = countOf('questions beside the brute force', { test: 40, soak: 1e6 });
const suites = [
  { suite: 'questions', sequences: all },
  { suite: 'drivers', sequences: all },
  {
    suite: 'flows',
    sequences: countOf('flows beside the brute force', { test: 5, soak: 75, full: 150 }),
  },
];

const recorded = suites.flatMap(({ suite, sequences }) =>
  kernelsAsked(suite).map((kernel) => ({ kernel, suite, sequences })),
);

describe.each(someOf(recorded, 4))(
  'the $suite recorded on $kernel',
  ({ kernel, suite, sequences }) => {
    test('have the owners, openers and holders of the brute force at every position', async () => {
      const ledger = await openLedger(':memory:');
      const text = answeredIn(firstSequences(textOf(kernel, suite), sequences));
      await ledger.import(text, { format: 'truth' });
      expectBruteForce(ledger);
    });
  },
);

/** Compares the table of every position, each group's history, and what changed hands in parts. */
function expectBruteForce(ledger: Ledger): void {
  const trail = new OwnershipTrail(ledger.events);
  for (const { position } of ledger.events) {
    const now = bruteForceTable(ledger.events, position);
    trail.take(now, position);
    const expected = withTimes(withSince(now, trail), ledger.events) as Table;
    const tables = { actual: ledger.at(position).table(), expected };
    const difference = differenceOf(tables, ledger.events, position);
    if (difference !== null) expect.fail(difference);
  }
  const { groups } = trail;
  const histories = groups.map((group) =>
    ledger.history(group).map(({ incarnation: _incarnation, ...interval }) => stepped(interval)),
  );
  const expected = groups.map((group) => trail.history(group));
  expect(histories).toEqual(withTimes(expected, ledger.events));
  for (const [from, to] of stretches(ledger.head.position)) {
    const diff = ledger.diff(from < 0 ? 'start' : from, to);
    const changes = inOrder(trail.between(from, to));
    const untimed = { from: from < 0 ? null : from, to, changes };
    expect(diff).toEqual(withTimes(untimed, ledger.events));
  }
}

function withSince(now: TableNow, trail: OwnershipTrail): object {
  return {
    ...now,
    groups: now.groups.map((group) => ({
      ...group,
      since: trail.since(group.group),
      claimants: [],
    })),
    devices: now.devices.map((device) => ({
      ...device,
      since: trail.since(device.group),
      claimants: [],
    })),
  };
}

/** Parts of a log: the whole, an empty one, and others of several lengths. */
function stretches(head: number): [from: number, to: number][] {
  const at = (share: number) => Math.floor(head * share);
  return [
    [-1, head],
    [-1, at(0.1)],
    [at(0.2), at(0.2)],
    [at(0.3), at(0.3) + 20],
    [at(0.4), at(0.6)],
    [at(0.9), head],
  ];
}

/** In order of position, and at one position of group. */
function inOrder(changes: readonly Untimed<Change>[]): Untimed<Change>[] {
  return changes.toSorted(
    (a, b) => a.position - b.position || Number(a.subject) - Number(b.subject),
  );
}

/** A group of two devices, and a card that the host itself uses. */
const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [
    {
      name: 'd0',
      bdf: '0000:3b:00.0',
      model: 'e1000e',
      group: 26,
      driver: 'vfio-pci',
      cdev: 'vfio0',
    },
    { name: 'd1', bdf: '0000:3b:00.1', model: 'edu', group: 26, driver: 'vfio-pci', cdev: 'vfio1' },
    { name: 'n0', bdf: '0000:5e:00.0', model: 'e1000e', group: 30, driver: 'e1000e', cdev: null },
  ],
  groups: { 26: ['0000:3b:00.0', '0000:3b:00.1'], 30: ['0000:5e:00.0'] },
};

/** What the recordings above do not have in them, or hardly. */
const rare = `
seq exec drops a mapping, the last that held a bound device
open_iommufd I
open_cdev A d0
bind A I
mmap M A 0
close A
exec

seq a dead group keeps its iommufd
open_iommufd I
open_group G d0
set_container G I
set_driver d0 none
set_driver d1 none
close I
set_driver d0 vfio-pci
open_group H d0
close G

seq a dead group loses its container
open_container C
open_group G d0
set_container G C
close C
set_driver d0 none
set_driver d1 none
close G

seq the next driver of a leaving device is refused, its sibling is owned
open_iommufd I
open_cdev A d0
open_cdev B d1
bind B I
set_driver d0 e1000e
close A
bg_wait
close B

seq a device got again keeps the iommufd that it was first bound to
open_iommufd I
open_iommufd J
open_group G d0
set_container G I
get_device A G d0
unset_container G
set_container G J
get_device B G d0
close I
close A
close G
close B

seq a duplicate over another descriptor closes it
open_iommufd I
open_cdev A d0
open_cdev B d1
bind A I
dup2 A B
dup2 B B
exit
`.replaceAll(/^seq (.*)$/gm, (_, name: string) => `seq ${name.replaceAll(/\W+/g, '-')}`);

test('what is seldom recorded has the owners, openers and holders of the brute force', async () => {
  const ledger = await openLedger(':memory:');
  const answers = await ledger.simulate(rare, { profile: 'linux-7.3', topology });
  const refused = answers.filter(({ rc }) => rc === -1).map(({ op, errno }) => `${op} ${errno}`);
  expect(refused).toEqual(['bg_wait EBUSY']);
  expectBruteForce(ledger);
});

test('before the first event there is nothing to own', async () => {
  const ledger = await openLedger(':memory:');
  await ledger.simulate('open_iommufd I', { profile: 'linux-7.3', topology });
  const at = { position: null, time: null };
  expect(ledger.at('start').table()).toEqual({ at, groups: [], devices: [], files: [] });
});

/** Plays lines; what comes back tells how group and first device stood after one of them. */
async function play(...lines: readonly string[]) {
  const ledger = await openLedger(':memory:');
  const answers = await ledger.simulate(lines.join('\n'), { profile: 'linux-7.3', topology });
  return (line: string) => {
    const answer = answers[lines.indexOf(line)];
    if (answer === undefined) throw new Error(`'${line}' was not played`);
    const { groups, devices } = ledger.at(answer.position).table();
    return { answer, group: groups[0]!, device: devices[0]! };
  };
}

/** Holders in short: `P1 fd 3`, `P1 mapping`, `kernel`. */
function short(holders: readonly Holder[]): string[] {
  return holders.map(({ comm, via, fd }) => [comm, via, fd].filter((x) => x !== null).join(' '));
}

function held(file: FileView | null): string[] {
  return short(file?.holders ?? []);
}

test('of two contexts the second gets the group when the last duplicate of the first is closed', async () => {
  const after = await play(
    'open_iommufd I',
    'open_iommufd J',
    'open_cdev A d0',
    'open_cdev B d1',
    'bind A I',
    'dup D A',
    'bind B J',
    'close A',
    'close I',
    'close D',
    '@P1 bind B J',
  );
  expect(short(after('bind A I').group.owner.holders)).toEqual(['P1 fd 3', 'P1 fd 5']);
  expect(after('bind B J').answer.errno).toBe('EPERM');
  expect(after('close I').group).toMatchObject({ owner: { kind: 'iommufd' }, ownerCount: 1 });
  expect(short(after('close I').group.owner.holders)).toEqual(['P1 fd 7']);
  expect(after('close D').group).toMatchObject({ owner: { kind: 'none' }, ownerCount: 0 });

  const [first, second] = [after('bind A I').group.owner, after('@P1 bind B J').group.owner];
  expect(second.kind).toBe('iommufd');
  expect(second.file).not.toBe(first.file);
  expect(short(second.holders)).toEqual(['P1 fd 4', 'P1 fd 6']);
});

test('a mapping keeps a device bound when no descriptor is left', async () => {
  const after = await play(
    'open_iommufd I',
    'open_cdev A d0',
    'bind A I',
    'mmap M A 0',
    'close A',
    'close I',
    'munmap M',
  );
  const { group, device } = after('close I');
  expect(short(group.owner.holders)).toEqual(['P1 mapping']);
  expect(device).toMatchObject({
    state: 'bound',
    files: [{ file: device.owner.holders[0]?.file }],
  });
  expect(after('munmap M').group.owner).toEqual({ kind: 'none', file: null, holders: [] });
  expect(after('munmap M').device).toMatchObject({ state: 'idle', files: [] });
});

test('a device got from a group keeps it open after its last descriptor, as the kernel alone sees', async () => {
  const after = await play(
    'open_container C',
    'open_group G d0',
    'set_container G C',
    'set_iommu C',
    'get_device A G d0',
    'close G',
    'open_group H d0',
    'close A',
  );
  const { group, device } = after('close G');
  expect(group.opener?.file).toBe(after('open_group G d0').group.opener?.file);
  expect(held(group.opener)).toEqual(['kernel']);
  expect(group.opener?.holders[0]?.file).toBe(device.files[0]?.file);
  expect(group.owner).toMatchObject({ kind: 'container', file: group.opener?.file });
  expect(short(group.owner.holders)).toEqual(['P1 fd 5']);
  expect(after('open_group H d0').answer.errno).toBe('EBUSY');
  expect(after('close A').group).toMatchObject({ opener: null, owner: { kind: 'none' } });
});

test('with an iommufd as container the group is free to open, and its device owned all the same', async () => {
  const after = await play(
    'open_iommufd I',
    'open_group G d0',
    'set_container G I',
    'get_device A G d0',
    'close G',
    'close I',
    'close A',
  );
  expect(after('set_container G I').group).toMatchObject({ owner: { kind: 'none' }, viable: true });
  const { group, device } = after('close I');
  expect(group).toMatchObject({ opener: null, container: null, ownerCount: 1, viable: false });
  const iommufd = after('set_container G I').group.container?.file;
  expect(group.owner).toMatchObject({ kind: 'iommufd', file: iommufd });
  expect(short(group.owner.holders)).toEqual(['P1 fd 5']);
  expect(device.state).toBe('open');
  expect(after('close A').group.owner.kind).toBe('none');
});

test('a device that waits to leave goes to its next driver when its last file is closed', async () => {
  const after = await play(
    'open_cdev A d0',
    'set_driver d0 e1000e',
    'fork P2',
    'close A',
    '@P2 close A',
  );
  expect(after('set_driver d0 e1000e').device).toMatchObject({
    driver: 'vfio-pci',
    state: 'leaving',
  });
  expect(after('close A').device.state).toBe('leaving');
  expect(held(after('close A').device.files[0] ?? null)).toEqual(['P2 fd 3']);
  expect(after('@P2 close A').device).toMatchObject({
    driver: 'e1000e',
    state: 'absent',
    files: [],
  });
  expect(after('@P2 close A').group).toMatchObject({ owner: { kind: 'kernel' }, ownerCount: 1 });
});
