import { describe, expect, test } from 'vitest';
import { Ledger, openLedger } from '../ledger.ts';
import { memoryStore } from '../log/memory.ts';
import { parseScenario } from '../host/simulation.ts';
import { RevisionConflictError } from '../log/store.ts';

const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [
    { name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' },
    { name: 'audio', bdf: '0000:3b:00.1', group: 26, driver: 'vfio-pci', cdev: 'vfio1' },
    { name: 'nic', bdf: '0000:5e:00.0', group: 40, driver: 'mlx5_core', cdev: null },
  ],
  groups: { '26': ['0000:3a:00.0'] },
};

async function played(scenario: string): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.simulate(scenario, { topology, profile: 'linux-7.3' });
  return ledger;
}

/** The events of a ledger as the lines of an export, with times put in. */
function exported(ledger: Ledger, timeOf: (position: number) => string | null): string {
  const lines = ledger.events.map((event) =>
    JSON.stringify({ ...event, time: timeOf(event.position) }),
  );
  return [...lines, JSON.stringify({ end: { events: lines.length } }), ''].join('\n');
}

const handOver = `
open_iommufd I
open_cdev A gpu
bind A I
close I
@P2 open_iommufd J
@P2 open_cdev B audio
@P2 bind B J
@P1 close A
@P2 bind B J
`;

describe('a moment', () => {
  test('shows owner, since when, and who keeps it', async () => {
    const ledger = await played(handOver);
    const refusal = ledger.log({ refused: true })[0]?.position ?? 0;
    const { owner, since, ownerCount } = ledger.at(refusal).group('26');
    expect(owner).toMatchObject({ kind: 'iommufd', holders: [{ comm: 'P1', via: 'fd' }] });
    expect(ownerCount).toBe(1);
    expect(ledger.events[since ?? 0]?.type).toBe('device.bound');
    expect(ledger.at(refusal).device('gpu').state).toBe('bound');
    expect(ledger.at(refusal).device('audio').state).toBe('open');
  });

  test('says why an owner is unknown, and since when', async () => {
    const ledger = await played(handOver);
    const known = ledger.head.position;
    await ledger.noticeGap('the tracer died');
    await ledger.noticeGap('so did the next one');
    const then = ledger.at('end');
    const sinceTime = ledger.event(known + 1)?.time;
    const told = { group: '26', since: known + 1, sinceTime, reason: 'so did the next one' };
    expect(then.whyUnknown('g26')).toEqual(told);
    expect(then.whyUnknown('gpu')).toEqual(told);
    expect(ledger.at(known + 1).whyUnknown('26')?.reason).toBe('the tracer died');
    expect(ledger.at(known).whyUnknown('26')).toBeNull();
    expect(then.whyUnknown('pid:102')).toBeNull();
  });

  test('knows files that no process can name any more', async () => {
    const ledger = await played(handOver);
    const [refusal] = ledger.log({ refused: true });
    const orphans = ledger.at(refusal?.position ?? 0).orphans();
    expect(orphans).toMatchObject([{ kind: 'iommufd', holders: [{ via: 'kernel', pid: null }] }]);
    expect(ledger.at('end').orphans()).toEqual([]);
  });

  test('before the first event is empty', async () => {
    const table = (await played(handOver)).at('start').table();
    expect(table).toEqual({
      at: { position: null, time: null },
      groups: [],
      devices: [],
      files: [],
    });
  });

  test('has devices that claim nothing beside those that do', async () => {
    const ledger = await played(handOver);
    expect(ledger.at().device('0000:3a:00.0')).toMatchObject({ state: 'absent', driver: null });
    expect(ledger.at().group('40')).toMatchObject({
      owner: { kind: 'kernel', file: null, holders: [] },
      ownerCount: 1,
      viable: false,
    });
  });
});

describe('a subject', () => {
  test.each(['gpu', '0000:3b:00.0', 'vfio0', '/dev/vfio/devices/vfio0'])(
    'is a device as %s',
    async (word) => {
      expect((await played(handOver)).who(word).subject).toBe('0000:3b:00.0');
    },
  );

  test.each(['26', 'g26', '/dev/vfio/26'])('is a group as %s', async (word) => {
    expect((await played(handOver)).who(word).subject).toBe('26');
  });

  test('is a process or a file with its prefix', async () => {
    const ledger = await played(handOver);
    const { owner } = ledger.at().group('26');
    expect(ledger.who(`file:${owner.file}`).owner).toEqual(owner);
    const pid = owner.holders[0]?.pid;
    expect(ledger.who(`pid:${pid}`).holders.every((holder) => holder.pid === pid)).toBe(true);
  });

  test.each(['nobody', '999', 'g999', 'pid:9', 'file:f999', '0000:ff:1f.7'])(
    'that nobody knows is refused: %s',
    async (word) => {
      const ledger = await played(handOver);
      const reason = new RegExp(`^this log has no \\w+ '${word}'; nearest (is|are) `);
      expect(() => ledger.who(word)).toThrow(reason);
      expect(() => ledger.history(word)).toThrow(reason);
    },
  );
});

describe('the lineage of a file', () => {
  test('says through which dup, fork, pass or mapping each holder came by it', async () => {
    const ledger = await played(`
      open_iommufd I
      open_cdev A gpu
      bind A I
      dup B A
      close A
      fork P2
      @P2 send B P3 C
      @P3 mmap M C 0
      @P3 close C
      @P1 exit
    `);
    const { lineage } = ledger.who('gpu');
    const told = lineage.map(({ comm, via, chain }) => [comm, via, ...chain.map((s) => s.type)]);
    const bySharing = ['device.opened', 'descriptor.duplicated', 'process.forked'];
    expect(told).toEqual([
      ['P2', 'fd', ...bySharing],
      ['P3', 'mapping', ...bySharing, 'descriptor.passed', 'mapping.created'],
    ]);
    for (const { chain } of lineage) {
      for (const { position, type } of chain) expect(ledger.events[position]?.type).toBe(type);
    }
  });
});

describe('history and diff', () => {
  test('have no gaps, and name what ended an interval', async () => {
    const ledger = await played(handOver);
    const history = ledger.history('gpu');
    expect(history.map(({ owner }) => owner.kind)).toEqual(['none', 'iommufd', 'none', 'iommufd']);
    expect(history.map(({ endedBy }) => endedBy)).toEqual([
      'device.bound',
      'descriptor.closed',
      'device.bound',
      null,
    ]);
    for (const [index, { to }] of history.entries()) {
      expect(to).toBe(history[index + 1]?.from ?? null);
    }
  });

  test('tell what changed hands after one moment, up to another', async () => {
    const ledger = await played(handOver);
    const { changes } = ledger.diff('start', 'end');
    const of26 = changes.filter(({ subject }) => subject === '26');
    expect(of26.map(({ before, after }) => `${before.kind} ${after.kind}`)).toEqual([
      'none iommufd',
      'iommufd none',
      'none iommufd',
    ]);
    const last = of26.at(-1)?.position ?? 0;
    expect(ledger.diff(last, 'end').changes).toEqual([]);
    expect(ledger.diff(last - 1, last).changes).toHaveLength(1);
  });
});

describe('why', () => {
  test('names blocker, cause and what let it through', async () => {
    const ledger = await played(handOver);
    const why = ledger.why('g26');
    expect(why).toMatchObject({
      operation: 'bind',
      errno: 'EPERM',
      cause: 'owned-by-other-iommufd',
      blocker: { kind: 'iommufd', holders: [{ comm: 'P1' }] },
    });
    expect(why.because.map((at) => ledger.events[at]?.type)).toEqual(['device.bound']);
    expect(ledger.events[why.wouldPassAfter ?? 0]?.type).toBe('descriptor.closed');
    expect(ledger.why(why.position)).toEqual(why);
  });

  test('refuses to explain what was not refused', async () => {
    const ledger = await played(handOver);
    expect(() => ledger.why(0)).toThrow('position 0 is not a refusal');
    expect(() => ledger.why('nic')).toThrow('no refusal of nic in this log up to position ');
  });

  test('counts two kernel drivers of a group together', async () => {
    const ledger = await openLedger(':memory:');
    const devices = [
      { name: 'd', bdf: '0000:01:00.0', group: 1, driver: 'vfio-pci' },
      { name: 's', bdf: '0000:01:00.1', group: 1, driver: 'snd_hda_intel' },
      { name: 't', bdf: '0000:01:00.2', group: 1, driver: 'xhci_hcd' },
    ];
    const host = { ...topology, devices, groups: {} };
    await ledger.simulate('open_iommufd I\nopen_cdev A d\nbind A I\n', { topology: host });
    const { because, cause } = ledger.why('d');
    expect(cause).toBe('owned-by-kernel-driver');
    expect(because.map((at) => ledger.events[at]?.data)).toMatchObject([
      { driver: 'snd_hda_intel' },
      { driver: 'xhci_hcd' },
    ]);
  });
});

describe('a driver change that had to wait', () => {
  test('is over with the last release, whoever opens the device next', async () => {
    const ledger = await openLedger(':memory:');
    const scenario = `
      open_cdev A gpu
      set_driver gpu vfio-pci
      close A
      open_cdev B gpu
      bg_wait
    `;
    const answers = await ledger.simulate(scenario, { topology, profile: 'linux-7.3' });
    expect(answers.map(({ pending, driver }) => pending ?? driver)).toEqual([
      undefined,
      true,
      undefined,
      undefined,
      'vfio-pci',
    ]);
  });

  test('is what another one is refused because of', async () => {
    const ledger = await played('open_cdev A gpu\nset_driver gpu none\nset_driver nic none\n');
    const { cause, because } = ledger.why('nic');
    expect(cause).toBe('driver-change-pending');
    expect(because.map((at) => ledger.events[at]?.type)).toEqual(['driver.unbind-blocked']);
  });
});

describe('a name that moves between boots', () => {
  test('means what it meant at the moment asked about', async () => {
    const ledger = await played('open_iommufd I\nopen_cdev A gpu\nbind A I\n');
    const then = ledger.head.position;
    const moved = topology.devices.map((device) =>
      device.name === 'gpu' ? { ...device, bdf: '0000:4c:00.0', group: 77 } : device,
    );
    await ledger.simulate('open_group G gpu\nopen_group H gpu\n', {
      topology: { ...topology, devices: moved },
      profile: 'linux-7.3',
    });
    expect(ledger.who('gpu', { at: then })).toMatchObject({
      subject: '0000:3b:00.0',
      owner: { kind: 'iommufd' },
    });
    expect(ledger.who('gpu').subject).toBe('0000:4c:00.0');
    expect(ledger.history('0000:3b:00.0').map(({ owner }) => owner.kind)).toEqual([
      'none',
      'iommufd',
      'none',
    ]);
    expect(ledger.why('gpu').cause).toBe('group-already-open');
    expect(() => ledger.why('0000:3b:00.0')).toThrow('no refusal of 0000:3b:00.0 in this log');
  });
});

describe('moments in time', () => {
  const minute = (position: number) => `2026-11-23T12:${String(position).padStart(2, '0')}:00Z`;

  test('an instant is the last event at or before it', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import(exported(await played(handOver), minute));
    expect(ledger.at('2026-11-23T12:05:00Z').moment.position).toBe(5);
    expect(ledger.at('2026-11-23T12:05:59').moment.position).toBe(5);
    expect(ledger.at('2026-11-23T13:05:59+01:00').moment.position).toBe(5);
    expect(ledger.at('2026-11-23T13:05:59+01').moment.position).toBe(5);
    expect(ledger.at('2026-11-23T11:00').moment.position).toBeNull();
    expect(ledger.at('2027-01-01').moment.position).toBe(ledger.head.position);
  });

  test('an event without a time takes the nearest earlier one', async () => {
    const ledger = await openLedger(':memory:');
    const source = exported(await played(handOver), (p) => (p === 3 || p === 9 ? minute(p) : null));
    await ledger.import(source);
    const times = ledger.events.map(({ time }) => time?.slice(14, 16) ?? null);
    expect(times.slice(0, 11)).toEqual([
      null,
      null,
      null,
      '03',
      '03',
      '03',
      '03',
      '03',
      '03',
      '09',
      '09',
    ]);
  });

  test('evidence older than the last event is refused, and changes nothing', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import(exported(await played(handOver), minute));
    const { head } = ledger;
    const older = exported(await played('open_container C\n'), () => '2025-01-01T00:00:00Z');
    await expect(ledger.import(older)).rejects.toThrow('import both into a new log');
    expect(ledger.head).toEqual(head);
  });

  test('evidence from two sources is merged by time', async () => {
    const early = await played('open_container C\n');
    const late = await played('open_iommufd I\n');
    const ledger = await openLedger(':memory:');
    await ledger.importSources([
      { name: 'late', chunks: [exported(late, (p) => `2026-01-02T00:00:${10 + p}Z`)] },
      { name: 'early', chunks: [exported(early, (p) => `2026-01-01T00:00:${10 + p}Z`)] },
    ]);
    const opened = ledger.events.map(({ type }) => type).filter((type) => type.endsWith('opened'));
    expect(opened).toEqual(['container.opened', 'iommufd.opened']);
  });

  test('a source keeps its own order, whatever its clock says', async () => {
    const own = await played('open_iommufd I\nopen_cdev A gpu\nbind A I\n');
    const jumping = exported(own, (p) => `2026-01-01T00:00:${10 + ((p * 7) % 40)}Z`);
    const other = exported(await played('open_container C\n'), () => '2027-01-01T00:00:00Z');
    const ledger = await openLedger(':memory:');
    await ledger.importSources([
      { name: 'other', chunks: [other] },
      { name: 'jumping', chunks: [jumping] },
    ]);
    const types = (of: Ledger) => of.events.map(({ type }) => type);
    expect(types(ledger).slice(0, own.events.length)).toEqual(types(own));
  });

  test.each(['12:03', '2026-02-30', '2026-13-01', 'yesterday', '999', '-1'])(
    '%s is no moment',
    async (when) => {
      const ledger = await played(handOver);
      expect(() => ledger.at(when)).toThrow(/is not a position|is past the end|cannot be mapped/);
    },
  );

  test('an instant means nothing in a log without times', async () => {
    const ledger = await played(handOver);
    expect(() => ledger.at('2026-11-23')).toThrow('no event of this log has a time');
  });
});

describe('a simulation', () => {
  test('is the same log, byte for byte, from the same start', async () => {
    expect((await played(handOver)).head).toEqual((await played(handOver)).head);
  });

  test('goes on in a log of its own, with other pids and ids', async () => {
    const ledger = await played(handOver);
    const before = ledger.events.length;
    await ledger.simulate(handOver, { topology, profile: 'linux-7.3' });
    expect(ledger.events).toHaveLength(2 * before);
    const pids = ledger.events.flatMap((e) => (e.type === 'process.started' ? e.data.pid : []));
    expect(new Set(pids).size).toBe(pids.length);
    expect(new Set(ledger.events.map(({ id }) => id)).size).toBe(2 * before);
  });

  test('plays after what another one has appended meanwhile', async () => {
    const store = memoryStore();
    const [one, other] = [new Ledger(store, 'host'), new Ledger(store, 'host')];
    const answers = await one.simulate(handOver, { topology, profile: 'linux-7.3' });
    const { position } = one.head;
    const late = await other.simulate(handOver, { topology, profile: 'linux-7.3' });
    const after = answers.map((answer) => {
      return { ...answer, position: answer.position + position + 1 };
    });
    expect(late).toEqual(after);
    await one.refresh();
    expect(one.events).toEqual(other.events);
    expect(one.verify().faults).toEqual([]);
  });

  test('is not written into in the middle of a sequence, however many play at once', async () => {
    const store = memoryStore();
    const scenario = (name: string) =>
      ['one', 'two', 'three']
        .map((n) => `seq ${name}-${n}\n${'open_iommufd I\nclose I\n'.repeat(20)}`)
        .join('');
    const names = ['a', 'b', 'c', 'd'];
    const answers = await Promise.all(
      names.map((name) => new Ledger(store, 'host').simulate(scenario(name), { topology })),
    );
    const ledger = new Ledger(store, 'host');
    await ledger.refresh();
    const boots = ledger.events.flatMap((e) => (e.type === 'host.booted' ? e.data.boot : []));
    expect(boots.toSorted()).toEqual(
      names.flatMap((name) => [`${name}-one`, `${name}-three`, `${name}-two`]),
    );
    for (const [index, name] of names.entries()) {
      expect(boots.filter((boot) => boot.startsWith(name))).toEqual([
        `${name}-one`,
        `${name}-two`,
        `${name}-three`,
      ]);
      expect(answers[index]).toHaveLength(120);
    }
    const told = answers.flat().map(({ position }) => position);
    expect(new Set(told).size).toBe(told.length);
    expect(ledger.verify().faults).toEqual([]);
  });

  test('a sequence too long to be recorded at once is not mixed with what another writes', async () => {
    const store = memoryStore();
    const [one, other] = [new Ledger(store, 'host'), new Ledger(store, 'host')];
    const long = parseScenario('open_iommufd I\nclose I\n'.repeat(3000));
    const answers = one.simulateSteps(long, { topology });
    const { value } = await answers.next();
    expect(value).toMatchObject({ answer: { n: 0 } });
    await other.refresh();
    await other.simulate('open_container C\n', { topology });
    const rest = async () => {
      let last = 0;
      for await (const { answer } of answers) last = answer.n;
      return last;
    };
    await expect(rest()).rejects.toThrow(RevisionConflictError);
    await other.refresh();
    expect(other.verify().faults).toEqual([]);
  });

  test('keeps out of a log of evidence', async () => {
    const ledger = await openLedger(':memory:');
    const evidence = exported(await played('open_iommufd I\n'), () => null);
    await ledger.import(evidence.replaceAll('"simulated":true', '"simulated":false'));
    await expect(ledger.simulate('fds\n', { topology })).rejects.toThrow('evidence of a real host');
  });

  test('says the position of its own event, or of the last one before it', async () => {
    const ledger = await openLedger(':memory:');
    const answers = await ledger.simulate('open_iommufd I\nfds\nbind I I\n', { topology });
    const [opened, none, refused] = answers.map(({ position }) => position);
    expect(ledger.events[opened ?? 0]?.type).toBe('iommufd.opened');
    expect(none).toBe(opened);
    expect(ledger.events[refused ?? 0]?.type).toBe('operation.refused');
  });

  test('records nothing of a scenario with a line that cannot be read', async () => {
    const ledger = await openLedger(':memory:');
    const wrong = ledger.simulate('open_iommufd I\n\nsteal I\n', { topology });
    await expect(wrong).rejects.toThrow("scenario:3: unknown operation 'steal'");
    expect(ledger.events).toEqual([]);
  });
});

describe('verify', () => {
  test('is content with what the machines made', async () => {
    const ledger = await played(handOver);
    const { faults, head, events } = ledger.verify();
    expect(faults).toEqual([]);
    expect(events).toBe(ledger.events.length);
    expect(ledger.verify({ head }).faults).toEqual([]);
  });

  test('notices another head than the one that was kept', async () => {
    const ledger = await played(handOver);
    const { head } = ledger.verify();
    const longer = head.replace(/^\d+/, '999');
    expect(ledger.verify({ head: longer }).faults).toMatchObject([{ kind: 'head' }]);
    const other = (await played('open_container C\n')).verify().head;
    expect(ledger.verify({ head: other }).faults).toMatchObject([{ kind: 'head' }]);
    expect(() => ledger.verify({ head: 'none' })).toThrow('must be POSITION:HASH');
  });

  test('notices what the rules forbid, and the owner is unknown from there', async () => {
    const source = exported(await played(handOver), () => null);
    const stolen = source
      .split('\n')
      .map((line) => (line.includes('operation.refused') ? boundInstead(line) : line))
      .join('\n');
    const ledger = await openLedger(':memory:');
    await ledger.import(stolen);
    const { faults } = ledger.verify();
    expect(faults.map(({ detail }) => detail)).toContain(
      'bind passed; by linux-7.3 it would get EPERM, owned-by-other-iommufd',
    );
    expect(ledger.at(faults[0]?.position ?? 0).group('26').owner.kind).toBe('unknown');
    expect(ledger.at(faults[0]?.position ?? 0).device('gpu').state).toBe('unknown');
    const [holder] = ledger.who('gpu', { at: faults[0]?.position ?? 0 }).holders;
    expect(ledger.who(`pid:${holder?.pid}`, { at: faults[0]?.position ?? 0 }).owner.kind).toBe(
      'unknown',
    );
    expect(ledger.history(`pid:${holder?.pid}`).map(({ owner }) => owner.kind)).toContain(
      'unknown',
    );
  });
});

/** A refused bind as if it had passed. */
function boundInstead(line: string): string {
  const event = JSON.parse(line) as { data: { pid: number; fd: number; iommufd: number } };
  const { pid, fd, iommufd } = event.data;
  return JSON.stringify({ ...event, type: 'device.bound', data: { pid, fd, iommufd, id: 1 } });
}
