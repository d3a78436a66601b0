import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fact, LedgerEvent, Placed } from '../../events/vocabulary.ts';
import { openLedger, type Holder, type Interval, type Ledger, type Owner } from '../../ledger.ts';
import { Kernel } from '../../machines/kernel.ts';
import { ClaimedHost } from '../../projections/audit/claimed-host.ts';
import { everOwned } from '../../projections/ever.ts';
import { historyOf } from '../../projections/history.ts';
import { HostAtMoment } from '../../projections/moment.ts';
import { overlapsOf } from '../../projections/audit/overlaps.ts';
import type { Hand, OwnerInterval, Tenure } from '../../projections/interval-shapes.ts';
import type { Overlap } from '../../projections/shapes.ts';
import type { Subject } from '../../projections/subjects.ts';
import { Timeline } from '../../projections/timeline.ts';
import { waitsFor } from '../../projections/waits.ts';
import { addresses, evidence, groups, likely, pids } from '../support/random-evidence.ts';
import { withTimes } from '../support/times-beside.ts';
import { firstSequences, textOf } from '../support/truth.ts';
import { countOf } from '../support/effort.ts';

const FLOWS = countOf('flows asked for owners', { test: 4, soak: 12 });

const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [
    { name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' },
    { name: 'audio', bdf: '0000:3b:00.1', group: 26, driver: 'vfio-pci', cdev: 'vfio1' },
    { name: 'usb', bdf: '0000:3b:00.2', group: 26, driver: null },
    { name: 'nvme', bdf: '0000:5e:00.0', group: 41, driver: 'vfio-pci', cdev: 'vfio2' },
  ],
};

/** A log that a scenario begins, and in which what then was seen is taken at its word. */
async function seen(scenario: string, ...facts: readonly Fact[]): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.simulate(scenario, { topology, profile: 'linux-7.3' });
  return add(ledger, ...facts);
}

async function add(ledger: Ledger, ...facts: readonly Fact[]): Promise<Ledger> {
  const from = ledger.head.position + 1;
  const events = facts.map((fact, index): LedgerEvent => {
    return { ...fact, id: `x${from + index}`, time: null };
  });
  await ledger.append(ledger.head.position, events);
  await ledger.refresh();
  return ledger;
}

/** The position of the first event of a type, or of the last. */
const firstOf = (ledger: Ledger, type: Fact['type']) =>
  ledger.events.findIndex((event) => event.type === type);
const lastOf = (ledger: Ledger, type: Fact['type']) =>
  ledger.events.findLastIndex((event) => event.type === type);

/** Hands in short: `P1 fd 3 from 7`. */
function short(tenures: readonly Tenure[]): string[][] {
  return tenures.map(({ by }) =>
    by.map(({ comm, via, fd, from }) => `${comm} ${via === 'fd' ? `fd ${fd}` : via} from ${from}`),
  );
}

function timelineOf(events: readonly Placed<LedgerEvent>[]): Timeline {
  const timeline = new Timeline();
  for (const event of events) timeline.take(event);
  return timeline;
}

const bound = 'open_iommufd I\nopen_cdev A gpu\nbind A I\n';

describe('ever owned', () => {
  test('is who bound it, and who comes by it later: by a fork, a pass or a mapping', async () => {
    const ledger = await seen(`${bound}fork P2\n@P3 open_iommufd J\n@P1 send A P3 A\n@P1 mmap M A 0
@P1 close A\nclose I\n`);
    const from = firstOf(ledger, 'device.bound');
    const [mine] = ledger.everOwned('P1', { subject: 'gpu' });
    expect(mine).toEqual({
      ...ledger.history('gpu').at(-1),
      by: [
        expect.objectContaining({ pid: 101, comm: 'P1', fd: 3, file: mine?.owner.file, from }),
        expect.objectContaining({ comm: 'P1', fd: 4, from }),
      ],
    });
    const forked = firstOf(ledger, 'process.forked');
    expect(short(ledger.everOwned('P2', { subject: '26' }))).toEqual([
      [`P2 fd 3 from ${forked}`, `P2 fd 4 from ${forked}`],
    ]);
    const passed = firstOf(ledger, 'descriptor.passed');
    expect(short(ledger.everOwned('P3'))).toEqual([[`P3 fd 4 from ${passed}`]]);
    expect(ledger.everOwned('P1', { subject: '41' })).toEqual([]);
  });

  test('is who has a file that its context is given only later, or that another group is in', async () => {
    const ledger = await seen(`${bound}@P1 open_cdev B nvme\n@P2 open_cdev X gpu\n@P1 send B P2 B
@P1 bind B I\n`);
    const at = lastOf(ledger, 'device.bound');
    // P2 has the nvme alone, and with it the iommufd that owns both groups.
    expect(short(ledger.everOwned('P2', { subject: 'gpu' }))).toEqual([[`P2 fd 4 from ${at}`]]);
    expect(short(ledger.everOwned('P2', { subject: 'nvme' }))).toEqual([[`P2 fd 4 from ${at}`]]);
  });

  test('is a child whose parent had nothing but a mapping left', async () => {
    const ledger = await seen(`${bound}mmap M A 0\nclose A\nclose I\nfork P2\n`);
    const at = firstOf(ledger, 'process.forked');
    expect(short(ledger.everOwned('P2'))).toEqual([[`P2 mapping from ${at}`]]);
  });

  test('is who has the file of another group that is set into the iommufd', async () => {
    const ledger = await seen(`${bound}open_group G nvme\n@P2 open_cdev X gpu\n@P1 send G P2 G
@P1 alloc_ioas I Y\n@P1 compat_ioas I set Y\n@P1 set_container G I\n`);
    const at = firstOf(ledger, 'container.set');
    expect(short(ledger.everOwned('P2', { subject: '26' }))).toEqual([[`P2 fd 4 from ${at}`]]);
  });

  test('is who gets a device again, which keeps the iommufd that it was first bound to', async () => {
    const ledger = await seen(`open_iommufd I\nopen_iommufd J\nopen_group G gpu\nset_container G I
get_device A G gpu\nunset_container G\nset_container G J\n@P2 open_cdev X nvme\n@P1 send G P2 G
@P2 get_device B G gpu\n`);
    const at = lastOf(ledger, 'device.obtained');
    expect(short(ledger.everOwned('P2', { subject: 'gpu' }))).toEqual([[`P2 fd 5 from ${at}`]]);
  });

  test('is not who only tried, or has it open without an owner', async () => {
    const ledger = await seen(`${bound}@P2 open_iommufd J\n@P2 open_cdev B audio\n@P2 bind B J\n`);
    expect(ledger.log({ refused: true })).toHaveLength(1);
    expect(ledger.everOwned('P2')).toEqual([]);
    expect(ledger.everOwned('pid:102', { subject: 'audio' })).toEqual([]);
  });

  test('is of every group where none is named, in order of position', async () => {
    const ledger = await seen(`${bound}close A\nclose I\nopen_container C\nopen_group G nvme
set_container G C\nclose G\n${bound}`);
    const tenures = ledger.everOwned('pid:101');
    expect(tenures.map(({ subject }) => subject)).toEqual(['26', '41', '26']);
    expect(tenures.every(({ by }) => by.length > 0)).toBe(true);
    expect(tenures.toSorted((a, b) => (a.from ?? 0) - (b.from ?? 0))).toEqual(tenures);
  });

  test('is asked by pid, by name as it stands, and by a part of the control group', async () => {
    const scope = String.raw`/machine.slice/machine-qemu\x2d3\x2dvm3.scope`;
    const ledger = await seen(
      'open_iommufd X\n',
      { type: 'process.started', data: { pid: 7, comm: 'qemu-system-x86', cgroup: scope } },
      { type: 'iommufd.opened', data: { pid: 7, fd: 3, cloexec: false } },
      { type: 'device.opened', data: { pid: 7, fd: 4, device: '0000:3b:00.0', cloexec: false } },
      { type: 'device.bound', data: { pid: 7, fd: 4, iommufd: 3, id: 1 } },
    );
    const asked = (who: string) => ledger.everOwned(who, { subject: '26' });
    for (const who of [
      'pid:7',
      'qemu-system-x86[7]',
      'qemu-system-x86',
      'vm3',
      '/machine.slice/',
      scope,
    ]) {
      expect(asked(who), who).toHaveLength(1);
      expect(asked(who)[0]?.by).toContainEqual(expect.objectContaining({ pid: 7, cgroup: scope }));
    }
    // A slip of the pen is no proof.
    for (const who of ['qemu', 'pid:8', 'qemu[7]', 'vm4', '', 'pid:']) {
      if (who === 'qemu') expect(asked(who), 'in the scope').toHaveLength(1);
      else expect(() => asked(who), who).toThrow('this log has no process');
    }
    expect(() => asked('qemu-system-x68')).toThrow(
      /'qemu-system-x68'; nearest is qemu-system-x86$/,
    );
  });

  test('names both processes where a number was given again', async () => {
    const ledger = await seen(
      `${bound}@P2 open_iommufd J\n@P1 send A P2 A\n`,
      { type: 'process.exited', data: { pid: 101, signal: null } },
      { type: 'process.started', data: { pid: 101, comm: 'other', cgroup: null } },
      { type: 'descriptor.passed', data: { pid: 102, fd: 4, to: 101, as: 9 } },
    );
    const [tenure] = ledger.everOwned('pid:101', { subject: '26' });
    expect(tenure?.by.map(({ comm, fd }) => [comm, fd])).toEqual([
      ['P1', 3],
      ['P1', 4],
      ['other', 9],
    ]);
  });

  test('says of an owner that is unknown that it may have been anybody', async () => {
    const second: Fact = { type: 'device.bound', data: { pid: 102, fd: 4, iommufd: 3, id: 1 } };
    const ledger = await seen(`${bound}@P2 open_iommufd J\n@P2 open_cdev B audio\n`, second);
    const unknown = { kind: 'unknown', file: null, holders: [] };
    expect(ledger.everOwned('P2', { subject: '26' })).toMatchObject([
      { from: ledger.head.position, to: null, owner: unknown, by: [] },
    ]);
    expect(ledger.everOwned('P2', { subject: '41' })).toEqual([]);
  });

  test('says the same of what was before the events that are here', async () => {
    const { events } = await seen(`${bound}fork P2\n`);
    const later = (await seen(`open_iommufd I\nseq again\n${bound}`)).events;
    const boot = later.findLastIndex(({ type }) => type === 'host.booted');
    const rest = later.slice(boot).map((event, index) => {
      return { ...event, position: events.length + index };
    });
    const first = 5;
    const timeline = new Timeline({ first });
    for (const event of [...events.slice(first), ...rest]) timeline.take(event);
    const group: Subject = { kind: 'group', id: '26' };
    const [before] = historyOf(timeline, group);
    expect(before).toMatchObject({ from: null, owner: { kind: 'unknown' } });
    expect(everOwned(timeline, 'P2', group)).toEqual([{ ...before, by: [] }]);
    const [unknown, known] = everOwned(timeline, 'P1', group);
    expect(unknown).toEqual({ ...before, by: [] });
    expect(known?.by.map(({ comm, fd }) => [comm, fd])).toEqual([
      ['P1', 3],
      ['P1', 4],
    ]);
  });

  test('agrees with who held the owner at any position of each interval', () => {
    let late = 0;
    fc.assert(
      fc.property(fc.oneof(evidence, likely), (events) => {
        const timeline = timelineOf(events);
        const moments = events.map(({ position }) => new HostAtMoment(timeline, position));
        for (const subject of subjects) {
          const owners = moments.map((moment) => moment.who(subject.id).owner);
          for (const pid of pids) {
            if (!isThere(events, pid)) continue;
            const expected = bruteTenures(events, owners, subject, pid);
            const found = everOwned(timeline, `pid:${pid}`, subject);
            expect(found.map(withFirstHands)).toEqual(withTimes(expected, events));
            for (const { by, hands } of found)
              expect(hands).toEqual(expect.arrayContaining([...by]));
            late += expected.filter(({ from, by }) => by.some((hand) => hand.from !== from)).length;
          }
        }
      }),
      { numRuns: countOf('tenures', { test: 25, soak: 200, full: 2000 }) },
    );
    expect(late).toBeGreaterThan(5);
  });

  test('agrees with who held the owner in what a kernel was asked', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import(firstSequences(textOf('linux-7.3', 'flows'), FLOWS), { format: 'truth' });
    const names = new Set<string>();
    const expected = new Map<string, Set<string>>();
    for (const { position } of ledger.events) {
      for (const { group, owner } of ledger.at(position).table().groups) {
        const { from } = intervalAt(ledger.history(group), position);
        for (const { comm } of owner.holders) {
          const name = comm ?? '';
          names.add(name);
          expected.set(name, (expected.get(name) ?? new Set()).add(`${group} ${from}`));
        }
      }
    }
    expect(names.size).toBeGreaterThan(1);
    for (const name of names) {
      const found = ledger.everOwned(name).map(({ subject, from }) => `${subject} ${from}`);
      expect(found.toSorted()).toEqual([...(expected.get(name) ?? [])].toSorted());
    }
  });
});

function intervalAt<I extends Pick<Interval, 'from' | 'to'>>(
  intervals: readonly I[],
  position: number,
): I {
  const found = intervals.find(
    ({ from, to }) => (from ?? -1) <= position && position < (to ?? Infinity),
  );
  if (found === undefined) throw new Error(`no interval at ${position}`);
  return found;
}

const subjects: readonly Subject[] = [
  ...groups.map((id): Subject => ({ kind: 'group', id })),
  ...addresses.map((id): Subject => ({ kind: 'device', id })),
];

function isThere(events: readonly Placed<LedgerEvent>[], pid: number): boolean {
  return events.some(({ data }) =>
    ['pid', 'child', 'to'].some((key) => (data as object as Record<string, unknown>)[key] === pid),
  );
}

interface BruteTenure extends OwnerInterval {
  readonly by: readonly Pick<Hand, keyof Holder | 'from'>[];
}

function withFirstHands({
  hands: _hands,
  claimants: _claims,
  by,
  ...interval
}: Tenure): BruteTenure {
  return { ...interval, by: by.map(({ to: _to, toTime: _until, ...hand }) => hand) };
}

/** Looks at the owners of all positions, and cuts where another one comes. */
function bruteTenures(
  events: readonly Placed<LedgerEvent>[],
  owners: readonly Owner[],
  { id }: Subject,
  pid: number,
): BruteTenure[] {
  const found: BruteTenure[] = [];
  const nobody = { kind: 'none', file: null, holders: [] } as const;
  let last: BruteTenure = {
    subject: id,
    from: null,
    to: null,
    owner: nobody,
    endedBy: null,
    by: [],
  };
  for (const [position, owner] of owners.entries()) {
    if (owner.kind !== last.owner.kind || owner.file !== last.owner.file) {
      found.push({ ...last, to: position, endedBy: events[position]?.type ?? null });
      last = { subject: id, from: position, to: null, owner, endedBy: null, by: [] };
    }
    const known = new Set(last.by.map(processOf));
    const fresh = owner.holders.filter((each) => each.pid === pid && !known.has(processOf(each)));
    const hands = fresh.map((holder) => ({ ...holder, from: position }));
    last = { ...last, by: [...last.by, ...hands] };
  }
  return [...found, last].filter(({ owner, by }) => by.length > 0 || owner.kind === 'unknown');
}

const processOf = ({ pid, comm, cgroup }: Holder): string => `${pid} ${comm} ${cgroup}`;

describe('waits', () => {
  const blocked = 'open_cdev A gpu\nset_driver gpu none\n';

  test('last from the unbind to the last release, and say for whom', async () => {
    const ledger = await seen(`${blocked}fork P2\n@P1 close A\n@P2 close A\n`);
    const [from, to] = [firstOf(ledger, 'driver.unbind-blocked'), ledger.head.position];
    const waits = ledger.waits('gpu');
    expect(waits).toEqual([
      {
        subject: '0000:3b:00.0',
        from,
        fromTime: null,
        to,
        toTime: null,
        waiter: ledger.who('gpu', { at: from }).waiters[0],
        for: [expect.objectContaining({ comm: 'P1', via: 'fd', fd: 3 })],
        endedBy: 'descriptor.closed',
      },
    ]);
    expect(ledger.waits()).toEqual(waits);
    expect(ledger.waits('26')).toEqual(waits);
    for (const other of ['41', 'audio']) expect(ledger.waits(other)).toEqual([]);
  });

  test('go on while nobody lets go, and end where they were seen to be over, or with the boot', async () => {
    const ledger = await seen(blocked);
    expect(ledger.waits('gpu')).toMatchObject([{ to: null, endedBy: null }]);
    const settled = {
      type: 'driver.settled',
      data: { device: '0000:3b:00.0', driver: null },
    } as const;
    const over = await seen(blocked, settled);
    expect(over.waits('gpu')).toMatchObject([
      { to: over.head.position, endedBy: 'driver.settled' },
    ]);
    const again = { boot: 'b2', kernel: '7.3.4', profile: null, iommufd: true, simulated: false };
    const booted = await seen(blocked, { type: 'host.booted', data: again });
    expect(booted.waits('gpu')).toMatchObject([{ endedBy: 'host.booted' }]);
    const collected = { operation: 'bg_wait', errno: 'EBUSY' } as const;
    const told = await seen(blocked, { type: 'operation.refused', data: collected });
    expect(told.waits('gpu')).toMatchObject([{ endedBy: 'operation.refused' }]);
  });

  test('are of each device, though two wait at a time', async () => {
    const waiter = { pid: 9, comm: 'bash' };
    const block = (device: string): Fact => {
      const data = { device, driver: 'vfio-pci', next: null, waiter };
      return { type: 'driver.unbind-blocked', data };
    };
    const close = (fd: number): Fact => ({ type: 'descriptor.closed', data: { pid: 101, fd } });
    const ledger = await seen(
      'open_cdev A gpu\nopen_cdev B nvme\n',
      block('0000:3b:00.0'),
      block('0000:5e:00.0'),
      close(4),
      close(3),
    );
    const { position } = ledger.head;
    expect(ledger.waits().map(({ subject, from, to }) => [subject, from, to])).toEqual([
      ['0000:3b:00.0', position - 3, position],
      ['0000:5e:00.0', position - 2, position - 1],
    ]);
  });

  test('are asked of a device or a group', async () => {
    const ledger = await seen(blocked);
    expect(() => ledger.waits('pid:101')).toThrow("'pid:101' is a process: expected a device");
    expect(() => ledger.waits('g99')).toThrow("this log has no group 'g99'");
  });

  test('are there wherever somebody is said to wait', () => {
    fc.assert(
      fc.property(fc.oneof(evidence, likely), (events) => {
        const timeline = timelineOf(events);
        for (const id of addresses) {
          const waits = waitsFor(timeline, { kind: 'device', id });
          for (const { position } of events) {
            const moment = new HostAtMoment(timeline, position);
            const isCovered = waits.some(
              ({ from, to }) => from <= position && position < (to ?? Infinity),
            );
            const isSaid = moment.who(id).waiters.length > 0;
            if (isSaid && !isCovered) expect(wasReplaced(events, id, position)).toBe(true);
            // Of two waits at a time `who` says the later.
            if (!isSaid && isCovered) expect(moment.device(id).state).toMatch(/leaving|unknown/);
          }
        }
      }),
      { numRuns: countOf('waits', { test: 25, soak: 200 }) },
    );
  });

  /** Whether another card has come into the slot since the unbind: `who` goes by its address. */
  function wasReplaced(events: readonly Placed<LedgerEvent>[], id: string, at: number): boolean {
    const before = events.slice(0, at + 1);
    const since = before.findLastIndex(
      ({ type, data }) => type === 'driver.unbind-blocked' && data.device === id,
    );
    return before
      .slice(since)
      .some(({ type, data }) => type === 'device.added' && data.device === id);
  }
});

describe('overlaps', () => {
  const two = `${bound}@P2 open_iommufd J\n@P2 open_cdev B audio\n`;
  const second: Fact = { type: 'device.bound', data: { pid: 102, fd: 4, iommufd: 3, id: 1 } };

  test('are two contexts that are claimed for a group, for as long as both are', async () => {
    const ledger = await seen(two, second, {
      type: 'process.exited',
      data: { pid: 101, signal: null },
    });
    const { position } = ledger.head;
    const [overlap] = ledger.overlaps();
    expect(overlap).toMatchObject({ group: '26', from: position - 1, to: position, drivers: [] });
    expect(overlap?.endedBy).toBe('process.exited');
    expect(overlap?.owners).toMatchObject([
      {
        kind: 'iommufd',
        holders: [
          { comm: 'P1', fd: 3 },
          { comm: 'P1', fd: 4 },
        ],
      },
      {
        kind: 'iommufd',
        holders: [
          { comm: 'P2', fd: 3 },
          { comm: 'P2', fd: 4 },
        ],
      },
    ]);
    const found = ledger.bisect({ invariant: 'one-context-per-group' });
    expect(found?.position).toBe(overlap?.from);
    for (const word of ['26', 'gpu', 'audio']) expect(ledger.overlaps(word)).toEqual([overlap]);
    for (const word of ['41', 'nvme']) expect(ledger.overlaps(word)).toEqual([]);
    expect(() => ledger.overlaps('pid:101')).toThrow("'pid:101' is a process: expected a device");
  });

  test('are a context and kernel drivers, and begin anew where a third owner comes', async () => {
    const kernel: Fact = {
      type: 'driver.bound',
      data: { device: '0000:3b:00.2', driver: 'xhci_hcd', cdev: null },
    };
    const ledger = await seen(two, kernel, second);
    const { position } = ledger.head;
    const overlaps = ledger.overlaps('26');
    expect(overlaps.map(({ from, to }) => [from, to])).toEqual([
      [position - 1, position],
      [position, null],
    ]);
    expect(overlaps.map(({ owners }) => owners.map(({ kind }) => kind))).toEqual([
      ['iommufd', 'kernel'],
      ['iommufd', 'iommufd', 'kernel'],
    ]);
    expect(overlaps.map(({ drivers }) => drivers)).toEqual([['xhci_hcd'], ['xhci_hcd']]);
  });

  test('a group in a container is an owner by the name of its file', async () => {
    const set: Fact = { type: 'container.set', data: { pid: 102, fd: 3, container: 4 } };
    const opened: Fact[] = [
      { type: 'group.opened', data: { pid: 102, fd: 3, group: '26', cloexec: false } },
      { type: 'container.opened', data: { pid: 102, fd: 4, cloexec: false } },
    ];
    const ledger = await seen(bound, ...opened, set);
    const [overlap] = ledger.overlaps('gpu');
    expect(overlap?.owners).toMatchObject([
      { kind: 'iommufd' },
      { kind: 'container', file: `f${ledger.head.position - 2}`, holders: [{ pid: 102, fd: 3 }] },
    ]);
  });

  test('end where one is taken out of its container, or its group dies', async () => {
    const open = (pid: number): Fact[] => [
      { type: 'group.opened', data: { pid, fd: 3, group: '41', cloexec: false } },
      { type: 'container.opened', data: { pid, fd: 4, cloexec: false } },
      { type: 'container.set', data: { pid, fd: 3, container: 4 } },
    ];
    const both = [...open(102), ...open(103)];
    const unset: Fact = { type: 'container.unset', data: { pid: 103, fd: 3 } };
    const out = await seen('open_iommufd I\n', ...both, unset);
    expect(out.overlaps('41')).toMatchObject([{ endedBy: 'container.unset' }]);

    const waiter = { pid: 9, comm: 'bash' };
    const device = '0000:5e:00.0';
    const blocked: Fact = {
      type: 'driver.unbind-blocked',
      data: { device, driver: 'vfio-pci', next: null, waiter },
    };
    const close: Fact = { type: 'descriptor.closed', data: { pid: 101, fd: 3 } };
    const dead = await seen('open_cdev D nvme\n', ...both, blocked, close);
    expect(dead.overlaps('41')).toMatchObject([
      { to: dead.head.position, endedBy: 'descriptor.closed' },
    ]);
    // Who has the device open was not seen: no other file shows when the unbind is over.
    const waiting = await seen('open_iommufd I\n', ...both, blocked, close);
    expect(waiting.overlaps('41')).toMatchObject([{ to: null }]);
  });

  test('there are none in what a kernel was asked', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import(firstSequences(textOf('linux-7.3', 'questions'), 40), { format: 'truth' });
    expect(ledger.overlaps()).toEqual([]);
  });

  test('agree with the claims at every position', () => {
    let overlaps = 0;
    fc.assert(
      fc.property(evidence, (events) => {
        const timeline = timelineOf(events);
        const found = overlapsOf(timeline, null);
        overlaps += found.length;
        expect(found.map(inShort)).toEqual(bruteOverlaps(events, null));
        for (const id of addresses) {
          const own = overlapsOf(timeline, { kind: 'device', id });
          expect(own.map(inShort)).toEqual(bruteOverlaps(events, id));
        }
      }),
      { numRuns: countOf('overlaps', { test: 80, soak: 600 }) },
    );
    expect(overlaps).toBeGreaterThan(5);
  });

  const inShort = ({ group, from, to, owners, endedBy }: Overlap) => {
    return { group, from, to, owners: owners.map(({ kind, file }) => file ?? kind), endedBy };
  };

  /** Asks the claims after every event of every group. */
  function bruteOverlaps(events: readonly Placed<LedgerEvent>[], device: string | null) {
    const [claims, host] = [new ClaimedHost(), new Kernel()];
    const found: ReturnType<typeof inShort>[] = [];
    const open = new Map<string, ReturnType<typeof inShort>>();
    for (const event of events) {
      host.take(event);
      claims.take(event, host.touched);
      for (const group of groups) {
        const isOf = device === null || claims.devices.get(device)?.group === group;
        const kernel = claims.kernelDriversIn(group).length > 0 ? ['kernel'] : [];
        const files = claims
          .ownersOf(group)
          .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
        const all = [...files, ...kernel];
        const owners = isOf && all.length > 1 ? all : [];
        const last = open.get(group);
        if (owners.join() === (last?.owners ?? []).join()) continue;
        if (last !== undefined) found.push({ ...last, to: event.position, endedBy: event.type });
        open.delete(group);
        if (owners.length === 0) continue;
        open.set(group, { group, from: event.position, to: null, owners, endedBy: null });
      }
    }
    const all = [...found, ...open.values()];
    return all.toSorted((a, b) => a.from - b.from || Number(a.group) - Number(b.group));
  }
});

describe('holdings', () => {
  test('are all that those have who hold a subject or keep its owner', async () => {
    const ledger = await seen(`${bound}open_cdev B nvme\n@P2 open_iommufd J\n@P2 open_cdev C gpu
@P3 open_cdev D nvme\n@P1 mmap M A 0\n`);
    const short = ledger
      .at()
      .holdings('26')
      .map(({ comm, via, kind, group, device, keepsOwnerOf }) => {
        return [comm, via, kind, group, device, keepsOwnerOf.join()];
      });
    expect(short).toEqual([
      ['P1', 'fd', 'iommufd', null, null, '26'],
      ['P1', 'fd', 'device', '26', '0000:3b:00.0', '26'],
      ['P1', 'fd', 'device', '41', '0000:5e:00.0', ''],
      ['P1', 'mapping', 'device', '26', '0000:3b:00.0', '26'],
      ['P2', 'fd', 'iommufd', null, null, ''],
      ['P2', 'fd', 'device', '26', '0000:3b:00.0', ''],
    ]);
    const then = ledger.at();
    const ofP1 = then.holdings('pid:101');
    expect(ofP1).toEqual(then.holdings('26').filter(({ pid }) => pid === 101));
    expect(then.holdings(`file:${ofP1[0]?.file}`)).toEqual(ofP1);
    expect(then.holdings('audio').map(({ comm }) => comm)).toEqual(['P1', 'P1', 'P1', 'P1']);
    expect(ledger.at('start').holdings('gpu')).toEqual([]);
    expect(() => then.holdings('pid:7')).toThrow("this log has no process 'pid:7'");
  });

  test('keep the owners of all groups that their context owns', async () => {
    const ledger = await seen(`${bound}open_cdev B nvme\nbind B I\n`);
    for (const { keepsOwnerOf } of ledger.at().holdings('pid:101').slice(0, 1)) {
      expect(keepsOwnerOf).toEqual(['26', '41']);
    }
  });

  test('of a process are the places at which the table has it, and name the owners that it keeps', () => {
    fc.assert(
      fc.property(likely, fc.double({ min: 0, max: 1, noNaN: true }), (events, share) => {
        const timeline = timelineOf(events);
        const moment = new HostAtMoment(timeline, Math.floor(share * (events.length - 1)));
        const { files, groups: views } = moment.table();
        for (const pid of pids) {
          if (!isThere(events, pid)) continue;
          const holdings = moment.holdings(`pid:${pid}`);
          const places = files.flatMap(({ kind, holders }) =>
            holders.flatMap((holder) => (holder.pid === pid ? { ...holder, kind } : [])),
          );
          const found = holdings.map(({ pid: own, comm, cgroup, via, fd, file, kind }) => {
            return { pid: own, comm, cgroup, via, fd, file, kind };
          });
          expect(sorted(found)).toEqual(sorted(places));
          const kept = views.filter(({ owner }) => owner.holders.some((each) => each.pid === pid));
          const named = new Set(holdings.flatMap(({ keepsOwnerOf }) => keepsOwnerOf));
          expect([...named].toSorted()).toEqual(kept.map(({ group }) => group).toSorted());
        }
      }),
      { numRuns: countOf('holdings', { test: 50, soak: 400 }) },
    );
  });

  const sorted = (values: readonly object[]) =>
    values.map((value) => JSON.stringify(value)).toSorted();
});

describe('orphans', () => {
  test('are files that nobody can name, with what keeps them and through whom', async () => {
    const ledger = await seen(`open_container C\nopen_group G gpu\nset_container G C\nset_iommu C
get_device A G gpu\nclose G\nclose C\n`);
    const { opener, container, owner } = ledger.at().group('26');
    expect(ledger.at().orphans()).toEqual([
      {
        ...container,
        groups: ['26'],
        devices: [],
        owner,
        keptThrough: owner.holders,
      },
      { ...opener, groups: ['26'], devices: ['0000:3b:00.0'], owner, keptThrough: owner.holders },
    ]);
  });

  test('an iommufd is of all groups that it owns', async () => {
    const ledger = await seen(`${bound}open_cdev B nvme\nbind B I\nclose I\n`);
    expect(ledger.at().orphans()).toMatchObject([
      { kind: 'iommufd', groups: ['26', '41'], devices: ['0000:3b:00.0', '0000:5e:00.0'] },
    ]);
    expect(ledger.at('start').orphans()).toEqual([]);
  });
});
