import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fact, LedgerEvent } from '../../events/vocabulary.ts';
import { Ledger, openLedger, RequestError, type Activity } from '../../ledger.ts';
import { memoryStore } from '../../log/memory.ts';
import { effectOf } from '../../processes/effects.ts';
import { activityBetween } from '../../projections/leaks.ts';
import { Timeline } from '../../projections/timeline.ts';
import { SlowActivity } from '../support/brute-force-leaks.ts';
import { countOf } from '../support/effort.ts';
import { anyLog, busyHost, type Log } from '../support/random-logs.ts';
import { unseenHost } from '../support/unseen-hosts.ts';

const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [
    { name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' },
    { name: 'audio', bdf: '0000:3b:00.1', group: 26, driver: 'vfio-pci', cdev: 'vfio1' },
    { name: 'nvme', bdf: '0000:5e:00.0', group: 41, driver: 'vfio-pci', cdev: 'vfio2' },
  ],
};
const P1 = 101;
const P2 = 102;

async function played(scenario: string): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.simulate(scenario, { topology, profile: 'linux-7.3' });
  return ledger;
}

async function add(ledger: Ledger, ...facts: readonly Fact[]): Promise<void> {
  const from = ledger.head.position + 1;
  const events = facts.map((fact, at): LedgerEvent => ({
    ...fact,
    id: `x${from + at}`,
    time: null,
  }));
  await ledger.append(from - 1, events);
  await ledger.refresh();
}

const positionOf = (ledger: Ledger, type: Fact['type']) =>
  ledger.events.findIndex((event) => event.type === type);

/** Leaks in short: `device 0000:3b:00.0 of P1, held by P2 fd 4`. */
function short({ leaks }: Activity): string[] {
  return leaks.map(({ kind, device, comm, holders }) => {
    const by = holders.map(({ via, comm: who, fd, file }) =>
      via === 'kernel' ? `kernel ${file}` : `${who} ${via === 'fd' ? `fd ${fd}` : via}`,
    );
    return `${device ?? kind} of ${comm}, held by ${by.join(', ')}`;
  });
}

const bound = 'open_iommufd I\nopen_cdev A gpu\nbind A I\n';

describe('what processes did between two moments', () => {
  test('is what they opened, bound and were refused, and what is still held', async () => {
    const ledger = await played(`${bound}close I\n@P2 open_iommufd J\n@P2 open_cdev B audio
@P2 bind B J\n@P2 close B\n`);
    const [iommufd, device] = ['iommufd.opened', 'device.opened'].map((type) =>
      positionOf(ledger, type as Fact['type']),
    );
    const of = { kind: 'device', device: '0000:3b:00.0', group: '26' };
    const p1 = { time: null, pid: P1, comm: 'P1' };
    const { owner } = ledger.at().group('26');
    const opened = [
      { ...p1, file: `f${iommufd}`, kind: 'iommufd', device: null, group: null, fd: 3 },
      { ...p1, ...of, file: `f${device}`, fd: 4 },
    ].map((one) => ({ ...one, position: Number(one.file.slice(1)), isSeen: true }));
    const holder = { pid: P1, comm: 'P1', cgroup: null, via: 'fd', fd: 4, file: `f${device}` };
    const kernel = {
      pid: null,
      comm: null,
      cgroup: null,
      via: 'kernel',
      fd: null,
      file: `f${device}`,
    };
    expect(ledger.between('start', 'end', { by: [P1] })).toEqual({
      from: null,
      fromTime: null,
      to: ledger.head.position,
      toTime: null,
      opened: opened.map((one) => ({ ...one, released: null })),
      bound: [
        { ...p1, ...of, operation: 'bind', fd: 4, position: positionOf(ledger, 'device.bound') },
      ],
      refused: [],
      held: [{ ...holder, ...of }],
      owned: [{ group: '26', owner }],
      leaks: [
        { ...opened[0], holders: [kernel], keepsOwnerOf: ['26'] },
        { ...opened[1], holders: [holder], keepsOwnerOf: ['26'] },
      ],
    });
    expect(ledger.between('start', 'end', { by: [P2] })).toMatchObject({
      opened: [
        { kind: 'iommufd', released: null },
        { device: '0000:3b:00.1', released: { position: ledger.head.position, time: null } },
      ],
      bound: [],
      refused: [{ operation: 'bind', errno: 'EPERM', cause: 'owned-by-other-iommufd', pid: P2 }],
      held: [{ kind: 'iommufd', comm: 'P2', fd: 3 }],
      owned: [],
    });
    expect(ledger.between('start', 'end').opened).toHaveLength(4);
  });

  test('counts from the event after the first moment up to the second', async () => {
    const ledger = await played(`${bound}close A\nclose I\n`);
    const at = positionOf(ledger, 'device.opened');
    expect(short(ledger.between(at - 1, at))).toEqual(['0000:3b:00.0 of P1, held by P1 fd 4']);
    expect(ledger.between(at, 'end')).toMatchObject({ opened: [], bound: [{}], leaks: [] });
    expect(ledger.between(at, at)).toMatchObject({ from: at, to: at, opened: [], leaks: [] });
    expect(ledger.between('start', 'end').leaks).toEqual([]);
  });

  test('a file that was passed on is a leak of the process that opened it', async () => {
    const ledger = await played(
      `open_cdev A gpu\n@P2 open_cdev X nvme\n@P1 send A P2 A\n@P1 exit\n`,
    );
    expect(short(ledger.between('start', 'end', { by: [P1] }))).toEqual([
      '0000:3b:00.0 of P1, held by P2 fd 4',
    ]);
    expect(short(ledger.between('start', 'end', { by: [P2] }))).toEqual([
      '0000:5e:00.0 of P2, held by P2 fd 3',
    ]);
  });

  test('a leak keeps an owner alive that was opened before, or by another process', async () => {
    const ledger = await played('open_iommufd I\nfork P2\n@P2 open_cdev A gpu\n@P2 bind A I\n');
    const { leaks, owned } = ledger.between('start', 'end', { by: [P2] });
    expect(leaks).toMatchObject([{ kind: 'device', keepsOwnerOf: ['26'] }]);
    expect(owned).toEqual([{ group: '26', owner: ledger.at().group('26').owner }]);
  });

  test('is asked of a what-if as well', async () => {
    const ledger = await played(bound);
    const fork = ledger.at().fork();
    fork.attempt({ operation: 'exit', pid: P1 });
    expect(ledger.between('start', 'end').leaks).toHaveLength(2);
    expect(fork.between('start', 'end')).toMatchObject({ opened: [{}, {}], held: [], leaks: [] });
  });

  test('with a moment before the other, or with what is no pid, is refused', async () => {
    const ledger = await played(bound);
    expect(() => ledger.between('end', 'start')).toThrow(RequestError);
    expect(() => ledger.between('start', 'end', { by: [1.5] })).toThrow(
      "takes an array of pids, not '1.5'",
    );
    expect(() => ledger.between(0, 99)).toThrow('position 99 is past the end');
    expect(ledger.between('start', 'end', { by: [4711] })).toMatchObject({ opened: [], leaks: [] });
  });
});

describe('where the evidence does not say', () => {
  test('who owns a group at the end, it may be one of them', async () => {
    const ledger = await played(`${bound}exit\n`);
    await add(ledger, { type: 'gap.noticed', data: { reason: 'lost', group: '26' } });
    expect(ledger.between('start', 'end')).toMatchObject({
      held: [],
      owned: [{ group: '26', owner: { kind: 'unknown' } }],
      leaks: [],
    });
  });

  test('when a file was opened, the leak says so', async () => {
    const ledger = await played('open_iommufd I\n');
    const evidence = {
      source: 'trace',
      line: 1,
      certainty: 'inferred',
      rule: 'used-so-it-was-open',
    } as const;
    const data = { pid: P1, fd: 9, device: '0000:3b:00.0', cloexec: true, evidence };
    await add(ledger, { type: 'device.opened', data });
    const { leaks } = ledger.between(ledger.head.position - 1, 'end');
    expect(leaks).toMatchObject([{ kind: 'device', fd: 9, isSeen: false }]);
  });

  test('how the host stood, nobody can say what is open until it boots', async () => {
    const store = memoryStore();
    const whole = new Ledger(store, 'host');
    const tried = `${bound}@P2 open_cdev B audio\n@P2 bind B A\n`;
    await whole.simulate(tried, { topology, profile: 'linux-7.3' });
    await whole.simulate(bound, { topology, profile: 'linux-7.3' });
    const { position, hash } = whole.event(5)!;
    const rest = new Ledger(store, 'host', {}, { position, hash });
    await rest.refresh();
    const boot = positionOf(rest, 'host.booted') + rest.first;
    expect(() => rest.between('start', boot - 1)).toThrow(RequestError);
    expect(() => rest.between(6, 7)).toThrow(
      'this log begins at position 6, and the host has not booted since',
    );
    expect(rest.between('start', boot)).toMatchObject({
      opened: [],
      refused: [{ operation: 'bind', pid: P2, cause: 'unknown' }],
      leaks: [],
    });
    expect(rest.between('start', 'end').leaks).toHaveLength(2);
  });
});

/** Events that are not kept in memory, and where they were read again. */
function watched(log: Log, whole: number) {
  const read = new Set<number>();
  const at = (position: number): Log[number] => {
    read.add(position);
    const event = log[position];
    if (event === undefined) throw new RangeError(`there is no event ${position}`);
    return event;
  };
  const reader = {
    at,
    many: (positions: readonly number[]) => positions.map(at),
    *between(from: number, to: number) {
      for (let position = from; position <= to; position++) yield at(position);
    },
  };
  const timeline = new Timeline({ reader, whole });
  for (const event of log) timeline.take(event);
  read.clear();
  return { timeline, read };
}

test('no event outside of the range is read again, but for the name of a process', () => {
  const log = busyHost(3000, 7);
  const { timeline, read } = watched(log, 500);
  const found = activityBetween(timeline, 2200, 2400, null);
  expect(found.opened.length).toBeGreaterThan(0);
  const outside = [...read].filter((position) => position <= 2200 || position > 2400);
  const others = outside.filter((position) => {
    const { type, data } = log[position]!;
    return effectOf(type).names?.(data) == null;
  });
  expect(others).toEqual([]);
});

const share = fc.double({ min: 0, max: 1, noNaN: true });

test('is what looking at every moment finds, on any log', () => {
  const asked = fc.record({
    log: fc.oneof(anyLog, unseenHost),
    missing: fc.oneof(fc.constant(0), share),
    moments: fc.array(fc.tuple(share, share), { minLength: 1, maxLength: 4 }),
    pids: fc.option(fc.array(share, { maxLength: 4 })),
    whole: fc.constantFrom(3, 64, 100_000),
  });
  fc.assert(
    fc.property(asked, ({ log, missing, moments, pids, whole }) => {
      const first = Math.floor((missing * log.length) / 2);
      const rest = log.slice(first);
      const slow = new SlowActivity(rest);
      const timeline = new Timeline({ first, whole });
      for (const event of rest) timeline.take(event);
      const known = [
        ...new Set(rest.flatMap(({ data }) => ('pid' in data ? (data.pid ?? []) : []))),
      ];
      const by = pids && pids.flatMap((at) => known[Math.floor(at * known.length)] ?? []);
      for (const pair of moments) {
        const [from = -1, to = -1] = pair
          .map((at) => Math.round(at * rest.length) - 1)
          .map((index) => (index < 0 ? -1 : first + index))
          .toSorted((a, b) => a - b);
        const found = activityBetween(timeline, from, to, by && new Set(by));
        expect(found).toEqual(slow.between(from, to, by));
      }
    }),
    { numRuns: countOf('activities beside brute force', { test: 25, soak: 600, full: 6000 }) },
  );
});
