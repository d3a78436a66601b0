import { describe, expect, test } from 'vitest';
import type { Fact, LedgerEvent } from '../../../events/vocabulary.ts';
import { openLedger, type Attestation, type Ledger } from '../../../ledger.ts';
import { scopeOf } from '../../support/tenanted-logs.ts';

const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [
    { name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' },
    { name: 'audio', bdf: '0000:3b:00.1', group: 26, driver: 'vfio-pci', cdev: 'vfio1' },
    { name: 'nvme', bdf: '0000:5e:00.0', group: 41, driver: 'vfio-pci', cdev: 'vfio2' },
    { name: 'nic', bdf: '0000:5f:00.0', group: 50, driver: 'mlx5_core', cdev: null },
  ],
};

async function played(scenario: string): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.simulate(scenario, { topology, profile: 'linux-7.3' });
  return ledger;
}

/** A ledger with events of its own, a microsecond apart. */
async function told(...facts: readonly Fact[]): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  return add(ledger, ...facts);
}

async function add(ledger: Ledger, ...facts: readonly Fact[]): Promise<Ledger> {
  const from = ledger.head.position + 1;
  const events = facts.map((fact, index): LedgerEvent => {
    const micros = String(from + index).padStart(6, '0');
    return { ...fact, id: `x${from + index}`, time: `2026-06-01T12:00:00.${micros}Z` };
  });
  await ledger.append(ledger.head.position, events);
  await ledger.refresh();
  return ledger;
}

const short = ({ instances }: Attestation) =>
  instances.map(({ subject, from, to, holders }) => {
    const names = holders.map(({ comm, via, file }) => (via === 'fd' ? comm : `${via} ${file}`));
    return `${subject} ${from}-${to ?? ''} ${[...new Set(names)].join(',')}`.trim();
  });

const boot: Fact = {
  type: 'host.booted',
  data: { boot: 'b', kernel: '7.3.4', profile: 'linux-7.3', iommufd: true, simulated: false },
};
const plugged = (device: string, group: string | null, cdev: string): Fact => ({
  type: 'device.added',
  data: { device, name: null, group, driver: 'vfio-pci', model: null, cdev },
});
const started = (pid: number, comm: string, cgroup: string | null): Fact => ({
  type: 'process.started',
  data: { pid, comm, cgroup },
});
const bound = (pid: number, device: string): Fact[] => [
  { type: 'iommufd.opened', data: { pid, fd: 3, cloexec: true } },
  { type: 'device.opened', data: { pid, fd: 4, device, cloexec: true } },
  { type: 'device.bound', data: { pid, fd: 4, iommufd: 3, id: 1 } },
];
const closed = (pid: number, fd: number): Fact => ({
  type: 'descriptor.closed',
  data: { pid, fd },
});
const GPU = '0000:3b:00.0';

const taken = 'open_iommufd I\nopen_cdev A gpu\nbind A I\n';

describe('what is on the host unseen', () => {
  const evidence = { source: 'bpftrace', line: 1, certainty: 'observed' } as const;
  const watched: readonly Fact[] = [
    { type: 'host.booted', data: { ...boot.data, evidence } } as Fact,
    { type: 'snapshot.taken', data: { complete: true, unseen: [], evidence } },
    {
      type: 'evidence.begun',
      data: { source: 'bpftrace', format: 'bpftrace', clock: 'none', zero: null, after: 1 },
    },
    { type: 'process.started', data: { pid: 7, comm: 'qemu', cgroup: null, evidence } },
  ];
  const args = { pid: 7, cloexec: true, errno: 'EBUSY', evidence };
  const listed = { ...evidence, rule: 'named-in-a-claim' };
  test.each<readonly [string, Fact]>([
    ['99', { type: 'operation.refused', data: { ...args, operation: 'open_group', group: '99' } }],
    [GPU, { type: 'operation.refused', data: { ...args, operation: 'open_cdev', device: GPU } }],
    [
      GPU,
      {
        type: 'device.added',
        data: { ...plugged(GPU, null, 'vfio0').data, evidence: listed },
      } as Fact,
    ],
  ])('nothing is proved or refuted of %s, whose owner is unknown', async (subject, fact) => {
    const ledger = await told(...watched, fact);
    expect(ledger.history(subject)).toMatchObject([{ from: null, owner: { kind: 'unknown' } }]);
    expect(ledger.who(subject)).toMatchObject({ owner: { kind: 'unknown' }, since: null });
    expect(ledger.who(subject, { at: 1 }).owner.kind).toBe('unknown');
    const range = { from: 3 };
    expect(ledger.attest('never-owned', subject, 'pid:7', range).verdict).toBe('not-known');
    expect(ledger.attest('sole-owner', subject, 'pid:7', range).verdict).toBe('not-known');
    expect(ledger.coverage({ subject, ...range }).unknown).toMatchObject([{ from: 3, to: null }]);
  });

  test('a device that is found in a group had its owner before', async () => {
    const found = { ...plugged(GPU, '26', 'vfio0').data, evidence: listed };
    const ledger = await told(
      ...watched,
      plugged('0000:3b:00.1', '26', 'vfio1'),
      ...bound(7, '0000:3b:00.1'),
      { type: 'device.added', data: found } as Fact,
    );
    const ofGroup = ledger.history('26').map((interval) => ({ ...interval, subject: GPU }));
    expect(ledger.history(GPU)).toEqual(ofGroup);
    expect(ledger.who(GPU, { at: 7 })).toMatchObject({ owner: { kind: 'iommufd' }, since: 7 });
    const before = { from: 7, to: 7 };
    expect(ledger.attest('never-owned', GPU, 'pid:7', before).verdict).toBe('refuted');
  });
});

describe('never-shared', () => {
  test('is proved of tenants that came one after the other', async () => {
    const ledger = await played(
      `${taken}@P2 open_iommufd J\n@P2 open_cdev B audio\nclose I\nclose A\n@P2 bind B J`,
    );
    const found = ledger.attest('never-shared', 'comm:P1', 'comm:P2');
    expect(found).toMatchObject({
      question: 'never-shared',
      subjects: ['comm:P1', 'comm:P2'],
      from: 0,
      to: ledger.head.position,
      verdict: 'proved',
      instances: [],
      unknownHands: [],
      coverage: { unknown: [] },
      head: `${ledger.head.position}:${ledger.head.hash}`,
      evidence: [{ source: null, format: 'simulation', from: 0, to: ledger.head.position }],
      derived: true,
    });
  });

  test('is refuted by a context that was passed on', async () => {
    const ledger = await played(`${taken}@P1 send I P2 J\n@P2 open_cdev B audio\n@P2 bind B J`);
    const passed = ledger.events.findIndex(({ type }) => type === 'descriptor.passed');
    const found = ledger.attest('never-shared', 'pid:101', 'pid:102');
    expect(found.verdict).toBe('refuted');
    expect(short(found)).toEqual([`26 ${passed}- P1,P2`]);
    expect(found.instances[0]).toMatchObject({ owner: 'iommufd', fromTime: null, toTime: null });
  });

  test('counts no reference in the kernel for a process that has the pid of an older one', async () => {
    const forked: Fact = { type: 'process.forked', data: { pid: 10, child: 40, comm: 'qemu' } };
    const exited: Fact = { type: 'process.exited', data: { pid: 10, signal: null } };
    const ledger = await told(
      boot,
      plugged(GPU, '26', 'vfio0'),
      started(10, 'qemu', null),
      ...bound(10, GPU),
      forked,
      exited,
      started(10, 'qemu', null),
    );
    const since = { from: 7 };
    expect(ledger.attest('never-shared', 'pid:10', 'pid:40', since).verdict).toBe('proved');
    expect(ledger.attest('never-owned', '26', 'pid:10', since).verdict).toBe('proved');
    expect(ledger.attest('sole-owner', '26', 'pid:40', since).verdict).toBe('refuted');
    const before = ledger.attest('never-owned', '26', 'pid:10', { from: 6, to: 6 });
    expect(before.verdict).toBe('refuted');
  });

  test('counts a reference in the kernel for each tenant that held a descriptor', async () => {
    // P1 closes its iommufd and its device; what P2 was given keeps the iommufd.
    const ledger = await played(
      `${taken}@P1 send A P2 B\n@P1 close I\n@P1 close A\n@P2 device_info B\n@P2 close B`,
    );
    const [, last] = ledger.events.flatMap(({ type, position }) =>
      type === 'descriptor.closed' ? position : [],
    );
    const after = { from: last ?? 0 };
    const found = ledger.attest('never-shared', 'comm:P1', 'comm:P2', after);
    expect(short(found)).toEqual([expect.stringMatching(/^26 \d+-\d+ kernel f\d+,P2$/)]);
    const own = ledger.attest('never-owned', '26', 'comm:P1', after);
    expect(own.verdict).toBe('refuted');
  });

  test('tells groups apart', async () => {
    const ledger = await played(`${taken}@P2 open_iommufd J\n@P2 open_cdev B nvme\n@P2 bind B J`);
    expect(ledger.attest('never-shared', 'comm:P1', 'comm:P2').verdict).toBe('proved');
  });

  test('is not known where a hand has no tenant', async () => {
    const ledger = await told(
      boot,
      plugged(GPU, '26', 'vfio0'),
      plugged('0000:5e:00.0', '41', 'vfio2'),
      started(11, 'qemu', scopeOf('web')),
      started(12, 'qemu', scopeOf('db')),
      started(13, 'qemu', null),
      ...bound(11, GPU),
    );
    const before = ledger.attest('never-shared', 'vm:web', 'vm:db');
    expect(before).toMatchObject({ verdict: 'proved', unknownHands: [] });
    const { position } = ledger.head;
    await add(ledger, ...bound(13, '0000:5e:00.0'));
    const found = ledger.attest('never-shared', 'vm:web', 'vm:db');
    expect(found).toMatchObject({ verdict: 'not-known', instances: [], coverage: { unknown: [] } });
    expect(found.unknownHands).toMatchObject([
      { subject: '41', from: position + 3, to: null, holders: [{ pid: 13 }, { pid: 13 }] },
    ]);
    // Only what is in the range counts.
    const range = { to: position + 2 };
    expect(ledger.attest('never-shared', 'vm:web', 'vm:db', range).verdict).toBe('proved');
    // By name they are all one tenant's.
    expect(ledger.attest('never-owned', '41', 'pid:11').verdict).toBe('proved');
  });

  test('is not known of a device whose group is not known', async () => {
    const facts = [boot, started(11, 'qemu', '/a'), started(12, 'dpdk', '/b')];
    const ledger = await told(...facts, plugged(GPU, null, 'vfio0'), ...bound(11, GPU));
    const found = ledger.attest('never-shared', 'comm:qemu', 'comm:dpdk');
    expect(found.verdict).toBe('not-known');
    expect(found.coverage.unknown).toMatchObject([{ subject: GPU, from: 5, to: null }]);
    const before = ledger.attest('never-shared', 'comm:qemu', 'comm:dpdk', { to: 4 });
    expect(before.verdict).toBe('proved');
  });
});

describe('never-owned', () => {
  test('asks who kept the owner alive, not who has a file open', async () => {
    const ledger = await played(`${taken}@P2 open_cdev B gpu\n@P2 open_group G nvme`);
    const verdict = (subject: string, tenant: string) =>
      ledger.attest('never-owned', subject, tenant).verdict;
    expect(verdict('26', 'comm:P1')).toBe('refuted');
    expect(verdict('gpu', 'comm:P1')).toBe('refuted');
    expect(verdict('26', 'comm:P2')).toBe('proved');
    expect(verdict('41', 'comm:P2')).toBe('proved');
    expect(ledger.attest('never-owned', 'gpu', 'comm:P2').subjects).toEqual([GPU, 'comm:P2']);
  });

  test('is about the group that a device was in', async () => {
    const ledger = await told(
      boot,
      plugged(GPU, '26', 'vfio0'),
      started(11, 'qemu', null),
      started(12, 'dpdk', null),
      ...bound(11, GPU),
      closed(11, 4),
      closed(11, 3),
      { type: 'device.removed', data: { device: GPU } },
      plugged('0000:5e:00.0', '26', 'vfio1'),
      ...bound(12, '0000:5e:00.0'),
    );
    expect(ledger.attest('never-owned', '26', 'comm:dpdk').verdict).toBe('refuted');
    expect(ledger.attest('never-owned', GPU, 'comm:dpdk').verdict).toBe('proved');
    expect(short(ledger.attest('never-owned', GPU, 'comm:qemu'))).toEqual([`${GPU} 6-7 qemu`]);
  });
});

describe('sole-owner', () => {
  test('is proved where all hands were the tenant’s', async () => {
    const ledger = await played(`${taken}@P1 fork P2\n@P1 exit`);
    expect(ledger.attest('sole-owner', '26', 'comm:P1', { to: 'start' }).verdict).toBe('refuted');
    const both = ledger.attest('sole-owner', '26', 'comm:P1');
    expect(both.verdict).toBe('refuted');
    const forked = ledger.events.findIndex(({ type }) => type === 'process.forked');
    expect(short(both)).toEqual([`26 ${forked}- P2`]);
    const before = ledger.attest('sole-owner', '26', 'comm:P1', { to: forked - 1 });
    expect(before).toMatchObject({ verdict: 'proved', instances: [] });
  });

  test('is refuted by kernel drivers, and where nobody ever owned', async () => {
    const ledger = await played(`${taken}set_driver nic none\nbg_wait`);
    const kernel = ledger.attest('sole-owner', '50', 'comm:P1');
    expect(kernel).toMatchObject({
      verdict: 'refuted',
      instances: [{ subject: '50', owner: 'kernel', holders: [] }],
    });
    expect(ledger.attest('sole-owner', '41', 'comm:P1')).toMatchObject({
      verdict: 'refuted',
      instances: [{ subject: '41', from: 0, to: null, owner: 'none', holders: [] }],
    });
  });
});

describe('what was not seen', () => {
  const trace = [
    '11 1764150000.000100 execve("/usr/bin/qemu", ["qemu"], 0x7ffd2c0a1b40 /* 31 vars */) = 0',
    '11 1764150000.450620 openat(AT_FDCWD, "/dev/vfio/26", O_RDWR|O_CLOEXEC) = 8</dev/vfio/26>',
    '12 1764150001.000100 execve("/usr/bin/dpdk", ["dpdk"], 0x7ffd2c0a1b40 /* 31 vars */) = 0',
    '12 1764150001.450620 openat(AT_FDCWD, "/dev/vfio/41", O_RDWR|O_CLOEXEC) = 8</dev/vfio/41>',
    '',
  ].join('\n');

  test('strace of some processes never proves anything', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import(trace);
    for (const question of ['never-owned', 'sole-owner'] as const) {
      expect(ledger.attest(question, '26', 'comm:dpdk').verdict).toBe('not-known');
    }
    const found = ledger.attest('never-shared', 'comm:qemu', 'comm:dpdk');
    expect(found.verdict).toBe('not-known');
    expect(found.coverage.unknown).not.toEqual([]);
    expect(found.evidence).toMatchObject([{ source: 'text', format: 'strace' }]);
  });

  test('nor does a listing', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import(
      'COMMAND  PID USER   FD   TYPE DEVICE SIZE/OFF NODE NAME\n' +
        'qemu      11 root   12u   CHR  243,0      0t0  542 /dev/vfio/26\n' +
        'dpdk      12 root   12u   CHR  243,1      0t0  543 /dev/vfio/41\n',
    );
    expect(ledger.attest('never-shared', 'comm:qemu', 'comm:dpdk').verdict).toBe('not-known');
    expect(ledger.attest('never-owned', '26', 'comm:dpdk').verdict).toBe('not-known');
  });

  test('nothing is known before the log begins and after it ends', async () => {
    const ledger = await told(boot, plugged(GPU, '26', 'vfio0'), started(11, 'qemu', '/a'));
    await add(ledger, ...bound(11, GPU), started(12, 'dpdk', '/b'));
    const asked = (range: Parameters<Ledger['attest']>[3]) =>
      ledger.attest('never-owned', '26', 'pid:12', range);
    expect(asked({}).verdict).toBe('proved');
    expect(asked({ from: '2026-06-01T12:00Z', to: '2026-06-01T12:00:00.000004Z' })).toMatchObject({
      verdict: 'proved',
      to: 4,
    });
    expect(asked({ from: '2026-06-01T11:00Z' })).toMatchObject({
      verdict: 'not-known',
      from: 0,
      coverage: { unknown: [{ from: null, to: 0, reason: 'the log begins later' }] },
    });
    expect(asked({ to: '2027-01-01' })).toMatchObject({
      verdict: 'not-known',
      to: ledger.head.position,
      coverage: {
        unknown: [{ from: ledger.head.position, to: null, reason: 'the log ends there' }],
      },
      logEnds: { position: ledger.head.position },
    });
    expect(ledger.attest('never-owned', '26', 'pid:11', { to: '2027-01-01' }).verdict).toBe(
      'refuted',
    );
    expect(ledger.coverage({ from: '2026-06-01T11:00Z' }).unknown).toHaveLength(1);
  });

  test('a gap ends what is proved', async () => {
    const ledger = await played(`${taken}@P2 open_cdev B nvme`);
    const { position } = ledger.head;
    await ledger.noticeGap('the tracer died');
    expect(ledger.attest('never-shared', 'comm:P1', 'comm:P2').verdict).toBe('not-known');
    const before = ledger.attest('never-shared', 'comm:P1', 'comm:P2', { to: position - 1 });
    expect(before.verdict).toBe('proved');
  });
});

describe('a question is refused', () => {
  const refusal = (ledger: Ledger, ...asked: Parameters<Ledger['attest']>) => {
    try {
      return ledger.attest(...asked).verdict;
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      return `${code}: ${message}`;
    }
  };

  test('about tenants that no evidence names, with the nearest names', async () => {
    const ledger = await told(
      boot,
      started(11, 'qemu', scopeOf('web')),
      started(12, 'dpdk', '/system.slice/dpdk.service'),
    );
    const asked = (word: string) => refusal(ledger, 'never-shared', word, 'pid:12');
    expect(asked('vm:wbe')).toMatch(/^unknown-subject: .*vm:wbe; nearest is vm:web$/);
    expect(asked('comm:quemu')).toMatch(/^unknown-subject: .*; nearest is comm:qemu$/);
    expect(asked('cgroup:/system.slice/dpkd')).toMatch(/^unknown-subject: .*nearest .*dpdk/);
    expect(asked('pid:13')).toMatch(/^unknown-subject: .*; nearest are pid:12 and pid:11$/);
    expect(asked('qemu')).toMatch(/^bad-request: 'qemu' is not a tenant/);
    expect(refusal(ledger, 'never-owned', '99', 'pid:12')).toMatch(/^unknown-subject/);
  });

  test('about tenants that are not two', async () => {
    const ledger = await told(boot, started(11, 'qemu', '/a/b'), started(12, 'qemu', '/a/c'));
    const asked = (one: string, other: string, range = {}) =>
      refusal(ledger, 'never-shared', one, other, range);
    expect(asked('comm:qemu', 'pid:12')).toMatch(/^bad-request: .*in common: qemu\[12\]/);
    expect(asked('cgroup:/a', 'cgroup:/a/b')).toMatch(/in common: qemu\[11\] from position 1 on/);
    expect(asked('pid:11', 'pid:11')).toMatch(/^bad-request: pid:11 is one tenant/);
    expect(asked('pid:11', 'pid:12')).toBe('proved');
    expect(asked('comm:qemu', 'pid:12', { to: 1 })).toBe('proved');
  });

  test('about a pid that was two processes in the range', async () => {
    const ledger = await told(
      boot,
      started(12, 'dpdk', null),
      started(11, 'qemu', null),
      { type: 'process.executed', data: { pid: 11, comm: 'sh' } },
      { type: 'process.exited', data: { pid: 11, signal: null } },
      started(11, 'bash', null),
    );
    const asked = (range = {}) => refusal(ledger, 'never-shared', 'pid:11', 'pid:12', range);
    expect(asked()).toMatch(/^bad-request: pid:11 was two processes .*sh\[11\].*bash\[11\]/);
    expect(asked({ to: 4 })).toBe('proved');
    expect(asked({ from: 4 })).toBe('proved');
  });

  test('that ends before it begins, is none, or is about a process', async () => {
    const ledger = await played(taken);
    expect(refusal(ledger, 'never-owned', '26', 'pid:101', { from: 5, to: 3 })).toMatch(
      /^bad-request: 5 is after 3/,
    );
    expect(refusal(ledger, 'never-owned', 'pid:101', 'pid:101')).toMatch(/^bad-request/);
    expect(refusal(ledger, 'ever-owned' as 'never-owned', '26', 'pid:101')).toMatch(
      /^bad-request: 'ever-owned' is no question/,
    );
  });

  test('not about a claimant, which is no process', async () => {
    const claim: Fact = {
      type: 'claim.granted',
      data: { device: GPU, claimant: 'web', uuid: null, manager: 'libvirt', reason: null },
    };
    const ledger = await told(boot, plugged(GPU, '26', 'vfio0'), started(11, 'qemu', null), claim);
    await add(ledger, ...bound(11, GPU));
    expect(ledger.attest('never-owned', '26', 'vm:web')).toMatchObject({
      verdict: 'not-known',
      instances: [],
      unknownHands: [{ subject: '26' }],
    });
    expect(refusal(ledger, 'never-owned', '26', 'vm:wep')).toMatch(/nearest is vm:web/);
  });
});
