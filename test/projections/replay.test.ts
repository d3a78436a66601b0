import { describe, expect, test } from 'vitest';
import type { DataOf, LedgerEvent, Placed } from '../../events/vocabulary.ts';
import { openLedger, readEvidence, type Difference, type Ledger } from '../../ledger.ts';
import { profiles, type Profile } from '../../machines/profile.ts';
import { replayBy } from '../../projections/replay.ts';
import { kernelsAsked, recordings, textOf } from '../support/truth.ts';
import { someOf } from '../support/effort.ts';

/** The events of a recording, as a log would hold them. */
async function eventsOf(profile: Profile, name: string): Promise<Placed[]> {
  const collected = await readEvidence([{ name, chunks: [textOf(profile, name)] }]);
  const events = await collected.events.all();
  return events.map((event, position) => ({ ...event, position }));
}

const words = ({ errno, cause, dead }: Difference['other']) =>
  errno === null ? (dead ? 'dies' : 'passes') : `${errno} ${cause}`;

/** How a difference reads, without where it stands. */
const kindOf = ({ operation, recorded, other }: Difference) =>
  `${operation}: ${words(recorded)}, ${words(other)}`;

const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [
    { name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' },
    { name: 'audio', bdf: '0000:3b:00.1', group: 26, driver: 'vfio-pci', cdev: 'vfio1' },
  ],
};

async function played(
  scenario: string,
  { profile = 'linux-7.3', iommufd = true }: { profile?: Profile; iommufd?: boolean } = {},
): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.simulate(scenario, { topology: { ...topology, iommufd }, profile });
  return ledger;
}

const asked = someOf(recordings(), 16);

describe('a recording', () => {
  test.each(asked)('of %s by its own rules differs in nothing: %s', async (profile, name) => {
    const events = await eventsOf(profile, name);
    const { attempts, unknown, differences } = replayBy(profile, events);
    expect(differences).toEqual([]);
    expect(attempts).toBeGreaterThan(10);
    expect(unknown).toBe(0);
  });

  const newest = recordings().filter(([profile]) => profile === 'linux-7.3');
  test.each(someOf(newest, 4))(
    'of %s by rfc-2021 differs in bind and attach alone: %s',
    async (_, name) => {
      const { differences } = replayBy('rfc-2021', await eventsOf('linux-7.3', name));
      const kinds = new Set(differences.map(kindOf));
      expect([...kinds].filter((kind) => !proposals.has(kind))).toEqual([]);
      if (name === 'questions' || name === 'flows') expect(kinds.size).toBeGreaterThan(3);
    },
  );

  /** Every way in which the proposal of 2021 differs from what was merged. */
  const proposals = new Set([
    'bind: EPERM owned-by-other-iommufd, EBUSY owned-by-other-iommufd',
    'bind: EPERM owned-by-kernel-driver, EINVAL owned-by-kernel-driver',
    'bind: EINVAL file-already-bound, EBUSY file-already-bound',
    'bind: EINVAL device-open-elsewhere, EBUSY device-open-elsewhere',
    'bind: EBADF bad-descriptor, EINVAL bad-descriptor',
    'bind: EBADFD not-an-iommufd, EINVAL not-an-iommufd',
    // Whether the device is open through its group, by this file or by another.
    'bind: EINVAL opened-through-group, ENOTTY opened-through-group',
    'bind: EINVAL device-open-elsewhere, ENOTTY opened-through-group',
    'bind: EBUSY group-file-open, ENOTTY opened-through-group',
    'bind: EBUSY group-pinned-by-device-file, ENOTTY opened-through-group',
    'attach: passes, EBUSY already-attached',
    'attach: ENOENT no-such-object, EBUSY already-attached',
    'attach: EINVAL malformed-argument, EBUSY already-attached',
    'attach: EINVAL unsupported, EBUSY already-attached',
    'attach: EFAULT mapper-gone, EBUSY already-attached',
  ]);

  const pairs = kernelsAsked('questions').flatMap((recorded) =>
    profiles.map((other): [Profile, Profile] => [recorded, other]),
  );
  test.each(someOf(pairs, 7))(
    'of %s by %s says of refusals what why says',
    async (recorded, other) => {
      const ledger = await openLedger(':memory:');
      await ledger.import(textOf(recorded, 'questions'));
      const differences = ledger.replay({ profile: other });
      if (recorded === other) expect(differences).toEqual([]);
      for (const { position, operation, recorded: said } of differences) {
        const event = ledger.event(position);
        if (event?.type !== 'operation.refused') {
          expect(said).toEqual({ errno: null, cause: null });
        } else {
          expect(ledger.why(position)).toMatchObject({ operation, ...said });
        }
      }
    },
  );
});

describe('another kernel', () => {
  test('judges on what happened, not on what it would have made of it', async () => {
    const ledger = await played('open_iommufd I\nopen_cdev A gpu\nbind A I\nbind A I\n');
    const [opened, device, bound, again] = ledger.events.slice(-4).map(({ position }) => position);
    const passed = { errno: null, cause: null };
    const missing = { errno: 'ENOENT', cause: 'no-such-node' };
    const unsupported = { errno: 'ENOTTY', cause: 'unsupported' };
    expect(ledger.replay({ profile: 'linux-6.1' })).toEqual([
      { position: opened, time: null, operation: 'open_iommufd', recorded: passed, other: missing },
      { position: device, time: null, operation: 'open_cdev', recorded: passed, other: missing },
      { position: bound, time: null, operation: 'bind', recorded: passed, other: unsupported },
      {
        position: again,
        time: null,
        operation: 'bind',
        recorded: { errno: 'EINVAL', cause: 'file-already-bound' },
        other: unsupported,
      },
    ]);
  });

  test('has an iommufd where the host was configured to, and nowhere else', async () => {
    const kindsOf = async (iommufd: boolean) => {
      const ledger = await played('open_iommufd I\nopen_cdev A gpu\n', {
        profile: 'linux-6.1',
        iommufd,
      });
      return ledger.replay({ profile: 'linux-7.3' }).map(kindOf);
    };
    expect(await kindsOf(true)).toEqual([
      'open_iommufd: ENOENT no-such-node, passes',
      'open_cdev: ENOENT no-such-node, passes',
    ]);
    expect(await kindsOf(false)).toEqual([]);
  });

  test('does not differ in what the log cannot show it', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.append(-1, [
      ...(await playedEvents(
        'open_container C\nopen_group G gpu\nset_container G C\nset_iommu C\n',
      )),
      refused({ operation: 'map_dma', pid: 101, fd: 3, iova: 0, size: 4096, errno: 'EEXIST' }),
      refused({ operation: 'open_group', pid: 101, group: '26', errno: 'EPERM' }),
    ]);
    await ledger.refresh();
    for (const profile of profiles) {
      const kinds = ledger.replay({ profile }).map(kindOf);
      // The group is open: no kernel gets to ask for CAP_SYS_RAWIO, and none explains the errno.
      expect(kinds).toEqual(['open_group: EPERM unknown, EBUSY group-already-open']);
    }
  });

  test('has nothing to say where a reset passed that no device of the tests has', async () => {
    const events = await playedEvents(
      'open_iommufd I\nopen_cdev A gpu\nopen_cdev B audio\nbind A I\nbind B I\n',
    );
    const reset = { id: 'x', time: null, type: 'device.hot-reset' } as const;
    const ledger = await openLedger(':memory:');
    await ledger.append(-1, [...events, { ...reset, data: { pid: 101, fd: 4, groups: [] } }]);
    await ledger.refresh();
    expect(ledger.replay({ profile: 'rfc-2021' })).toEqual([]);
  });

  test('without a DMA owner differs where ownership decided, and dies of a kernel driver', async () => {
    const pairs = await Promise.all(
      ['questions', 'ownership'].map(async (name) => {
        const ledger = await openLedger(':memory:');
        await ledger.import(textOf('linux-6.12', name));
        return ledger.replay({ profile: 'linux-5.10' }).map(kindOf);
      }),
    );
    for (const kind of [
      'set_container: EPERM owned-by-kernel-driver, passes',
      'set_driver: EBUSY owned-by-user, dies',
      'group_status: ENODEV group-dead, passes',
      'open_cdev: passes, ENOENT no-such-node',
    ]) {
      expect(pairs.flat()).toContain(kind);
    }
  });

  test('of a log without a DMA owner finds the owner that there would be', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import(textOf('linux-5.10', 'no-dma-owner'));
    const kinds = ledger.replay({ profile: 'linux-6.12' }).map(kindOf);
    expect(kinds).toContain('set_container: passes, EPERM owned-by-kernel-driver');
    expect(kinds).toContain('get_device: EINVAL group-not-viable, ENODEV no-such-device');
  });

  test('is one that is known', async () => {
    const ledger = await played('open_iommufd I\n');
    expect(() => ledger.replay({ profile: 'linux-5.9' })).toThrow(
      `no profile 'linux-5.9'; known are ${profiles.join(', ')}`,
    );
  });
});

describe('nobody can say', () => {
  const attempt = refused({ operation: 'bind', pid: 101, fd: 6, iommufd: 5, errno: 'EPERM' });

  test('what rules make of a host before it has booted', () => {
    const events = [{ ...attempt, position: 40 }];
    const found = replayBy('rfc-2021', events, { isKnown: false });
    expect(found).toEqual({ attempts: 1, unknown: 1, differences: [] });
  });

  test('what they make of a group whose owner is unknown', async () => {
    const scenario =
      'open_iommufd I\nopen_cdev A gpu\nbind A I\nopen_iommufd J\nopen_cdev B audio\n';
    const bound = await playedEvents(scenario);
    const impossible = { id: 'x', time: null, type: 'device.bound' } as const;
    const ledger = await openLedger(':memory:');
    await ledger.append(-1, [
      ...bound,
      { ...impossible, data: { pid: 101, fd: 6, iommufd: 5, id: 1 } },
      attempt,
    ]);
    await ledger.refresh();
    const found = ledger.replayed({ profile: 'rfc-2021' });
    expect(found.unknown).toBe(1);
    // That the kernel let the other context in is a contradiction to both.
    expect(found.differences.map(kindOf)).toEqual(['bind: passes, EBUSY owned-by-other-iommufd']);
    expect(ledger.why(ledger.head.position).cause).toBe('unknown');
  });
});

async function playedEvents(scenario: string) {
  return (await played(scenario)).events.map(
    ({ position: _position, hash: _hash, ...event }) => event,
  );
}

function refused(data: DataOf<'operation.refused'>): LedgerEvent {
  return { id: JSON.stringify(data), time: null, type: 'operation.refused', data };
}
