/**
 * Traces that were recorded in a guest, held against what a kernel answers to the same sequences.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../ledger.ts';
import type { Profile } from '../../machines/profile.ts';
import { textOf } from '../support/truth.ts';
import { someOf } from '../support/effort.ts';

const read = (name: string) => readFileSync(new URL(`guest/${name}`, import.meta.url), 'utf8');

const kernelsOwn: readonly [file: string, profile: Profile][] = [
  ['ftrace-6.1.txt', 'linux-6.1'],
  ['ftrace-6.12.txt', 'linux-6.12'],
  ['ftrace-7.3.txt', 'linux-7.3'],
  ['bpftrace-7.3.jsonl', 'linux-7.3'],
];
const straces: readonly [file: string, profile: Profile][] = [
  ['strace-6.1.txt', 'linux-6.1'],
  ['strace-7.3.txt', 'linux-7.3'],
];
const traces = [...kernelsOwn, ...straces];

const topologyOf = (profile: Profile) => textOf(profile, 'questions').split('\n', 1)[0];

async function imported(file: string, settings: object): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  expect(await ledger.import(read(file), settings)).toMatchObject({ unknown: 0, rejected: [] });
  return ledger;
}

const withTopology = (file: string, profile: Profile) =>
  imported(file, { profile, topology: topologyOf(profile) });

const ofProfiles = new Map<Profile, Promise<Ledger>>();

/** The sequences played by the rules, which answer as the kernel did. */
async function played(profile: Profile): Promise<Ledger> {
  const known = ofProfiles.get(profile);
  if (known !== undefined) return known;
  const ledger = openLedger(':memory:').then(async (opened) => {
    await opened.simulate(read('sequences.txt'), { profile, topology: topologyOf(profile) });
    return opened;
  });
  ofProfiles.set(profile, ledger);
  return ledger;
}

/** Of anybody's descriptors, or of the player's own: no trace tells of them as ours. */
const untraced = new Set(['close', 'dup', 'send', 'bg_wait']);

/** What was refused, with which errno and why; a node that is not there has no kind. */
function refusalsOf(ledger: Ledger): string[] {
  return ledger.log({ refused: true }).flatMap(({ position }) => {
    const { operation, errno, cause } = ledger.why(position);
    if (untraced.has(operation)) return [];
    const isAbsent = operation === 'open_cdev' && errno === 'ENOENT';
    return [`${isAbsent ? 'open_path' : operation} ${errno} ${cause}`];
  });
}

/** The positions at which a host is put up as its topology has it. */
function settingUp(ledger: Ledger): ReadonlySet<number> {
  const positions = new Set<number>();
  let isUp = true;
  for (const { type, position } of ledger.each()) {
    if (type === 'host.booted') isUp = false;
    else if (type !== 'device.added') isUp = true;
    else if (!isUp) positions.add(position);
  }
  return positions;
}

/** The owners of each group and device in their order, as `kind[comms]`, or by kind alone. */
function successions(ledger: Ledger, isNamed = true): Record<string, string> {
  const set = settingUp(ledger);
  const { groups, devices } = ledger.at('end').table();
  const subjects = [...groups.map(({ group }) => `g${group}`), ...devices.map((one) => one.device)];
  const owners = (subject: string) => {
    let last = '';
    return ledger.history(subject).flatMap(({ from, to, owner, endedBy }) => {
      // Until a boot is over, and before anybody has spoken of a device.
      if (to !== null && (set.has(to) || (from === null && endedBy === 'device.added'))) return [];
      const comms = [...new Set(owner.holders.map(({ comm }) => `${comm}`))].toSorted().join(' ');
      const text = isNamed && comms !== '' ? `${owner.kind}[${comms}]` : owner.kind;
      const key = `${text} ${owner.file}`;
      return last === key ? [] : [((last = key), text)];
    });
  };
  return Object.fromEntries(subjects.map((subject) => [subject, owners(subject).join(' > ')]));
}

/** Who owns and who has open at the end. */
function endOf(ledger: Ledger) {
  const { groups, devices } = ledger.at('end').table();
  return {
    owners: Object.fromEntries(groups.map(({ group, owner }) => [group, owner.kind])),
    opened: groups.flatMap(({ group, opener }) => (opener === null ? [] : [group])),
    drivers: Object.fromEntries(devices.map(({ device, driver }) => [device, driver])),
    states: Object.fromEntries(devices.map(({ device, state }) => [device, state])),
  };
}

/** The same where the driver of d0 was not unbound in the end. */
function withDriver({ drivers, states, ...rest }: ReturnType<typeof endOf>) {
  const d0 = '0000:00:02.0';
  return {
    ...rest,
    drivers: { ...drivers, [d0]: 'vfio-pci' },
    states: { ...states, [d0]: 'idle' },
  };
}

describe.concurrent('with the topology', () => {
  test.each(traces)('%s shows what the kernel refused, and why', async (file, profile) => {
    const [trace, kernel] = [await withTopology(file, profile), await played(profile)];
    expect(refusalsOf(trace)).toEqual(refusalsOf(kernel));
    expect(refusalsOf(trace).length).toBeGreaterThan(7);
  });

  test.each(kernelsOwn)('%s shows who owned, one after the other', async (file, profile) => {
    const [trace, kernel] = [await withTopology(file, profile), await played(profile)];
    expect(successions(trace)).toEqual(successions(kernel));
    // Of an unbind others do not show which device it is of.
    const end = file === 'ftrace-7.3.txt' ? endOf(kernel) : withDriver(endOf(kernel));
    expect(endOf(trace)).toEqual(end);
    expect(trace.verify().faults).toEqual([]);
  });

  test('strace does not say which of two iommufds, nor who was killed', async () => {
    const trace = await withTopology('strace-7.3.txt', 'linux-7.3');
    const kernel = successions(await played('linux-7.3'), false);
    const sibling = 'none > iommufd > none > unknown > none > unknown > none > container > none';
    expect(kernel['g3']).toBe(sibling.replaceAll('unknown', 'iommufd'));
    // P3 is killed unseen: its device is bound by somebody else, so it must have gone.
    const passed = 'none > iommufd > none > iommufd > iommufd > none';
    expect(successions(trace, false)).toEqual({
      ...kernel,
      g1: passed,
      '0000:00:02.0': passed,
      g3: sibling,
      '0000:00:04.0': sibling,
      '0000:00:04.1': sibling,
    });
  });

  test('strace of a kernel without iommufd shows all owners', async () => {
    const trace = await withTopology('strace-6.1.txt', 'linux-6.1');
    expect(successions(trace, false)).toEqual(successions(await played('linux-6.1'), false));
  });

  test.each(straces)(
    '%s ends with what the killed are not seen to let go',
    async (file, profile) => {
      const [trace, kernel] = [await withTopology(file, profile), await played(profile)];
      const { owners, opened } = endOf(trace);
      expect(owners).toEqual(endOf(kernel).owners);
      expect(opened).toEqual(['3', '11']);
      const { faults } = trace.verify();
      const gone = faults.filter(({ detail }) => detail.includes('must have been closed earlier'));
      const passed = faults.filter(({ detail }) => detail.includes(' passed; by '));
      expect(gone.map(({ position }) => position)).toEqual(passed.map(({ position }) => position));
      expect(gone.length + passed.length).toBe(faults.length);
      expect(gone).toHaveLength(profile === 'linux-6.1' ? 1 : 2);
    },
  );

  test.each(traces)('%s says how sure it is of an owner', async (file, profile) => {
    const trace = await withTopology(file, profile);
    const isSeen = !file.startsWith('strace');
    let count = 0;
    for (const subject of ['g1', 'g3', '0000:00:02.0', '0000:00:04.1']) {
      for (const { owner } of trace.history(subject)) {
        if (owner.kind !== 'iommufd' && owner.kind !== 'container') continue;
        count++;
        expect(owner.certainty).toBe(isSeen ? undefined : 'inferred');
      }
    }
    expect(count).toBeGreaterThan(0);
  });
});

describe.concurrent('without a topology', () => {
  const grouped = / (?:owned-by-other-iommufd|cdev-bound-in-group|owned-by-kernel-driver)$/;

  test.each(traces)('%s does not say why where the group matters', async (file, profile) => {
    const [trace, kernel] = [await imported(file, { profile }), await played(profile)];
    const known = refusalsOf(kernel).map((text) => text.replace(grouped, ' unknown'));
    expect(refusalsOf(trace)).toEqual(known);
    const { faults } = trace.verify();
    const details = faults.map(({ detail }) => detail);
    if (!file.startsWith('strace')) expect(details).toEqual([]);
    else
      expect(details.every((text) => /must have been closed earlier| passed; by /.test(text))).toBe(
        true,
      );
  });

  /** A group has its number of its path, and its devices of those who got them from it. */
  const legacy = {
    g3: 'unknown > container[P1] > none',
    g11: 'unknown',
    '0000:00:04.0': 'unknown > container[P1] > none',
    '0000:00:04.1': 'unknown > container[P1] > none',
  };
  /** A device that goes by its node is owned by its context, for as long as it has one. */
  const nodes = {
    vfio0: 'unknown > iommufd[P1] > unknown > iommufd[P3] > unknown > iommufd[P1] > unknown',
    vfio2: 'unknown > iommufd[P1] > unknown > iommufd[P1] > unknown',
    vfio3: 'unknown > iommufd[P1] > unknown',
    vfio5: 'unknown',
  };
  test.each([
    ['ftrace-6.1.txt', 'linux-6.1', legacy],
    ['ftrace-6.12.txt', 'linux-6.12', { ...legacy, ...nodes }],
    ['ftrace-7.3.txt', 'linux-7.3', { ...legacy, ...nodes }],
    ['bpftrace-7.3.jsonl', 'linux-7.3', { ...legacy, ...nodes }],
  ])('%s shows owners as far as groups are known', async (file, profile, owners) => {
    expect(successions(await imported(file, { profile }))).toMatchObject(owners);
  });

  test('strace shows fewer of them', async () => {
    const groups = { g3: 'unknown > container > none', g11: 'unknown' };
    const profile = 'linux-7.3';
    expect(successions(await imported('strace-7.3.txt', { profile }), false)).toEqual({
      ...groups,
      vfio0: 'unknown > iommufd > unknown > iommufd > iommufd > unknown',
      vfio2: 'unknown > iommufd > unknown',
      vfio3: 'unknown',
      vfio5: 'unknown',
    });
    const old = await imported('strace-6.1.txt', { profile: 'linux-6.1' });
    expect(successions(old, false)).toEqual(groups);
  });
});

describe.concurrent('again', () => {
  test.each(traces)('%s adds nothing', async (file, profile) => {
    const ledger = await withTopology(file, profile);
    const { head, length } = ledger;
    const again = await ledger.import(read(file), { profile, topology: topologyOf(profile) });
    expect(again.appended).toBe(0);
    expect(again.skipped).toBeLessThanOrEqual(length);
    expect(ledger.head).toEqual(head);
  });

  // What the log was told of the host the first time is not what is asked for the second time.
  test.each(traces)('%s with another topology adds nothing', async (file, profile) => {
    const settings = [{ profile, topology: topologyOf(profile) }, { profile }];
    for (const [first, second] of [settings, settings.toReversed()]) {
      const ledger = await imported(file, first ?? {});
      expect(await ledger.import(read(file), second)).toMatchObject({ appended: 0 });
    }
  });

  test.each(someOf(traces, 6))(
    '%s from any of its beginnings is as at once',
    async (file, profile) => {
      const settings = { profile, topology: topologyOf(profile) };
      const lines = read(file).split('\n');
      const whole = await withTopology(file, profile);
      for (let count = 40; count < lines.length; count += 11) {
        // An exit that was called for and not seen is taken to have happened.
        if (lines[count - 1]?.includes('exit_group') === true) continue;
        const ledger = await openLedger(':memory:');
        const first = await ledger.import(lines.slice(0, count).join('\n'), settings);
        // So is a child that only later lines show: the gap that this is cannot be withdrawn any more.
        const isUnseen = ledger.events.some(
          ({ data }) => data.evidence?.rule === 'only-unseen-holders',
        );
        const { appended, skipped } = await ledger.import(lines.join('\n'), settings);
        expect(skipped).toBeLessThanOrEqual(first.appended);
        expect(first.appended + appended).toBe(whole.length + Number(isUnseen));
        if (!isUnseen) expect(ledger.head).toEqual(whole.head);
      }
    },
  );
});

test.each(['strace-6.1-decoder.txt', 'strace-6.1-fd-lineage.txt'])(
  '%s has nothing of ours',
  async (file) => {
    const ledger = await openLedger(':memory:');
    const report = await ledger.import(read(file));
    expect(report).toMatchObject({ appended: 0, skipped: 0, unknown: 0, rejected: [] });
    expect(ledger.events).toEqual([]);
  },
);
