import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { failureOf } from '../cli/failure.ts';
import { eventJson } from '../cli/event-row.ts';
import type { CallOf } from '../events/vocabulary.ts';
import {
  type Attempted,
  type Call,
  Ledger,
  openLedger,
  type RecordedEvent,
  RequestError,
  type SupposedEvent,
} from '../ledger.ts';
import { memoryStore } from '../log/memory.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import { Spool } from '../evidence/spool.ts';
import { completed } from '../machines/unshown-arguments.ts';
import { callOf } from '../operations/table.ts';
import type { Profile } from '../machines/profile.ts';
import { Timeline } from '../projections/timeline.ts';
import { Verifier } from '../projections/audit/verification.ts';
import { WhatIf } from '../ledger/what-if.ts';
import { kernelsAsked, recording } from './support/truth.ts';
import { countOf, someOf } from './support/effort.ts';

const GPU = '0000:3b:00.0';
const AUDIO = '0000:3b:00.1';
const NIC = '0000:5e:00.0';

const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [
    { name: 'gpu', bdf: GPU, group: 26, driver: 'vfio-pci', cdev: 'vfio0', model: 'e1000e' },
    { name: 'audio', bdf: AUDIO, group: 26, driver: 'vfio-pci', cdev: 'vfio1' },
    { name: 'nic', bdf: NIC, group: 40, driver: 'mlx5_core', cdev: null },
  ],
};

async function played(scenario: string): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.simulate(scenario, { topology, profile: 'linux-7.3' });
  return ledger;
}

/** P1 (101) has the gpu bound to its iommufd 3 by descriptor 4; P2 (102) is refused the audio. */
const refused = `
open_iommufd I
open_cdev A gpu
bind A I
@P2 open_iommufd J
@P2 open_cdev B audio
@P2 bind B J
`;
const P1 = 101;
const P2 = 102;
const bindOfP2: Call = { operation: 'bind', pid: P2, fd: 4, iommufd: 3 };
const passed = { errno: null, cause: null };

/** The event of a past at a position. */
function typeAt({ events }: { readonly events: readonly { type: string }[] }, position: number) {
  return events[position]?.type;
}

describe('an attempt on a fork', () => {
  test('passes where the owner has closed its file first', async () => {
    const ledger = await played(refused);
    const fork = ledger.at(ledger.head.position).fork();
    expect(fork.attempt(bindOfP2)).toMatchObject({
      errno: 'EPERM',
      cause: 'owned-by-other-iommufd',
    });
    expect(fork.attempt({ operation: 'close', pid: P1, fd: 3 })).toMatchObject(passed);
    expect(fork.attempt(bindOfP2)).toMatchObject({ errno: 'EPERM' });
    expect(fork.attempt({ operation: 'close', pid: P1, fd: 4 })).toMatchObject(passed);
    const bound = fork.attempt(bindOfP2);
    expect(bound).toEqual({ position: fork.events.length - 1, ...passed, id: 1 });
    expect(fork.who('audio')).toMatchObject({ owner: { kind: 'iommufd' } });
    expect(fork.at(bound.position).group('26').owner.holders).toMatchObject([
      { comm: 'P2' },
      { comm: 'P2' },
    ]);
    expect(ledger.who('gpu').owner.holders).toMatchObject([{ comm: 'P1' }, { comm: 'P1' }]);
  });

  test('goes on from the middle of a log, before what came after', async () => {
    const ledger = await played(refused);
    const bound = ledger.events.findIndex(({ type }) => type === 'device.bound');
    const fork = ledger.at(bound - 1).fork();
    expect(fork.from).toBe(bound - 1);
    expect(fork.events).toEqual(ledger.events.slice(0, bound));
    expect(() => fork.at(bound)).toThrow('is past the end');
    const pid = fork.start({ comm: 'qemu', cgroup: '/machine.slice' });
    expect(pid).toBe(102);
    const { fd: iommufd = -1 } = fork.attempt({ operation: 'open_iommufd', pid });
    const { fd = -1 } = fork.attempt({ operation: 'open_cdev', pid, device: AUDIO });
    expect([iommufd, fd]).toEqual([3, 4]);
    expect(fork.attempt({ operation: 'bind', pid, fd, iommufd })).toMatchObject(passed);
    // Who comes second is refused: this time it is P1.
    const second = fork.attempt({ operation: 'bind', pid: P1, fd: 4, iommufd: 3 });
    expect(second).toMatchObject({ errno: 'EPERM', cause: 'owned-by-other-iommufd' });
    const why = fork.why(second.position);
    expect(why.blocker?.holders).toMatchObject([{ comm: 'qemu', cgroup: '/machine.slice' }, {}]);
    expect(why.because.map((at) => typeAt(fork, at))).toEqual(['device.bound']);
  });

  test('that changes nothing is told by the position of the last event', async () => {
    const ledger = await played(refused);
    const fork = ledger.at().fork();
    const { position } = ledger.head;
    expect(fork.attempt({ operation: 'device_info', pid: P1, fd: 4 })).toEqual({
      position,
      ...passed,
    });
    expect(fork.events).toHaveLength(position + 1);
    expect(fork.attempt({ operation: 'device_info', pid: P2, fd: 4 })).toEqual({
      position: position + 1,
      errno: 'EINVAL',
      cause: 'not-bound-yet',
    });
    expect(typeAt(fork, position + 1)).toBe('operation.refused');
  });

  test('of a process that does not live is nobody’s', async () => {
    const fork = (await played(refused)).at().fork();
    const before = fork.events.length;
    expect(() => fork.attempt({ operation: 'exit', pid: 7 })).toThrow(RequestError);
    expect(() => fork.attempt({ operation: 'exit', pid: 7 })).toThrow('no process 7 exists');
    const toNobody: Call = { operation: 'send', pid: P1, fd: 4, to: 7 };
    expect(() => fork.attempt(toNobody)).toThrow('no process 7 exists');
    fork.attempt({ operation: 'kill', pid: P1 });
    expect(() => fork.attempt({ operation: 'fds', pid: P1 })).toThrow(RequestError);
    expect(fork.events).toHaveLength(before + 1);
  });

  test('hands out descriptors, ids, addresses and processes', async () => {
    const fork = (await played(refused)).at().fork();
    const child = fork.attempt({ operation: 'fork', pid: P1, comm: 'child' });
    expect(child).toMatchObject({ ...passed, pid: 103 });
    const spawned = fork.attempt({ operation: 'spawn', comm: 'other' });
    expect(spawned).toMatchObject({ ...passed, pid: 104 });
    expect(fork.attempt({ operation: 'spawn', comm: 'other' })).toMatchObject({
      cause: 'process-exists',
    });
    expect(fork.attempt({ operation: 'dup', pid: P1, fd: 4 })).toMatchObject({ fd: 5 });
    expect(fork.attempt({ operation: 'dup2', pid: P1, fd: 4, to: 9 })).toMatchObject({ fd: 9 });
    expect(fork.attempt({ operation: 'send', pid: P1, fd: 4, to: 104 })).toMatchObject({ fd: 3 });
    const { id: ioas = 0 } = fork.attempt({ operation: 'alloc_ioas', pid: P1, fd: 3 });
    expect(ioas).toBe(2);
    expect(fork.attempt({ operation: 'attach', pid: P1, fd: 4, pt: ioas })).toMatchObject({
      id: 3,
    });
    const maps = [0, 0].map((region) =>
      fork.attempt({ operation: 'mmap', pid: P1, fd: 4, region }),
    );
    expect(new Set(maps.map(({ id }) => id)).size).toBe(2);
    const [{ id: mapping = 0 } = {}] = maps;
    fork.attempt({ operation: 'munmap', pid: P1, mapping });
    expect(fork.attempt({ operation: 'mmap', pid: P1, fd: 4, region: 0 })).toMatchObject({
      id: mapping,
    });
    for (const pid of [P1, 103]) fork.attempt({ operation: 'exit', pid });
    expect(fork.at().group('26').owner.holders).toMatchObject([{ comm: 'other', fd: 3 }]);
  });

  test('changes a driver, at once or when the device is free', async () => {
    const fork = (await played(refused)).at().fork();
    expect(
      fork.attempt({ operation: 'set_driver', device: NIC, driver: 'vfio-pci' }),
    ).toMatchObject(passed);
    expect(fork.at().device('nic')).toMatchObject({ driver: 'vfio-pci', state: 'idle' });
    const waits = fork.attempt({ operation: 'set_driver', device: GPU, driver: null });
    expect(waits).toMatchObject({ ...passed, pending: true });
    expect(fork.attempt({ operation: 'bg_wait' })).toEqual({ ...waits });
    fork.attempt({ operation: 'kill', pid: P1 });
    expect(fork.at().device('gpu').driver).toBeNull();
    const settled = fork.attempt({ operation: 'bg_wait' });
    expect(typeAt(fork, settled.position)).toBe('driver.settled');
    expect(fork.attempt({ operation: 'bg_wait' })).toMatchObject({ errno: 'ECHILD' });
  });

  test('knows what the fork itself has mapped for DMA', async () => {
    const fork = (await played(refused)).at().fork();
    const { id: ioas = 0 } = fork.attempt({ operation: 'alloc_ioas', pid: P1, fd: 3 });
    const map: Call = { operation: 'ioas_map', pid: P1, fd: 3, ioas, iova: 0x1000, size: 4096 };
    expect(fork.attempt(map)).toMatchObject(passed);
    const again = fork.attempt(map);
    expect(again).toMatchObject({ errno: 'EEXIST' });
    expect(fork.why(again.position)).toMatchObject({ errno: 'EEXIST', cause: again.cause });
    // A fork of it begins as one of a log does: what is mapped is no event.
    expect(fork.at().fork().attempt(map)).toMatchObject(passed);
    fork.attempt({ operation: 'destroy', pid: P1, fd: 3, object: ioas });
    expect(fork.attempt({ operation: 'alloc_ioas', pid: P1, fd: 3 })).toMatchObject({ id: ioas });
    expect(fork.attempt(map)).toMatchObject(passed);
  });

  test('of a new process has a pid that nobody has had', async () => {
    const ledger = await played(refused);
    const data = { pid: P1, fd: 4, to: 103, as: 3 };
    const passedOn = { id: 'x', time: null, type: 'descriptor.passed', data } as const;
    await ledger.append(ledger.head.position, [passedOn]);
    await ledger.refresh();
    const fork = ledger.at().fork();
    fork.attempt({ operation: 'kill', pid: P2 });
    expect(fork.start({ comm: 'one' })).toBe(104);
    fork.attempt({ operation: 'kill', pid: 104 });
    expect(fork.attempt({ operation: 'spawn', comm: 'two' })).toMatchObject({ pid: 105 });
  });
});

describe('a fork answers as a ledger does', () => {
  test('about the past that it shares, and about what was tried', async () => {
    const ledger = await played(refused);
    const fork = ledger.at().fork();
    const { position } = ledger.head;
    fork.attempt({ operation: 'kill', pid: P1 });
    const { position: bound } = fork.attempt(bindOfP2);
    for (const event of ledger.events) {
      expect(fork.at(event.position).table()).toEqual(ledger.at(event.position).table());
    }
    expect(fork.why(position).wouldPassAfter).toBe(bound - 1);
    expect(ledger.why(position).wouldPassAfter).toBeNull();
    expect(fork.history('gpu').map(({ owner }) => owner.kind)).toEqual([
      ...ledger.history('gpu').map(({ owner }) => owner.kind),
      'none',
      'iommufd',
    ]);
    expect(fork.diff(position, 'end').changes.map(({ position: at }) => at)).toEqual([
      bound - 1,
      bound,
    ]);
    expect(fork.log({ from: position + 1 }).map(({ type }) => type)).toEqual([
      'process.exited',
      'device.bound',
    ]);
    expect(fork.replay({ profile: 'rfc-2021' })).toEqual(ledger.replay({ profile: 'rfc-2021' }));
    expect(fork.bisect({ invariant: 'one-context-per-group' })).toBeNull();
  });

  test('and says of what is beyond it that it did not happen', async () => {
    const ledger = await played(refused);
    const fork = ledger.at().fork();
    fork.attempt({ operation: 'kill', pid: P1 });
    const { position } = fork.attempt(bindOfP2);
    expect(fork).toMatchObject({ whatIf: true, from: ledger.head.position });
    expect(fork.event(position)).toMatchObject({ id: `what-if:${position}`, hash: null });
    expect(fork.at().table().at).toEqual({ position, time: null, whatIf: true });
    expect(fork.who('gpu').at).toEqual({ position, time: null, whatIf: true });
    expect(fork.at(fork.from).table().at).toEqual({ position: fork.from, time: null });
    expect(fork.at('start').table().at).toEqual({ position: null, time: null });
  });

  test('its events take place when the last one that is shared did', async () => {
    const source = await played(refused);
    const ledger = await openLedger(':memory:');
    const time = (at: number) => `2026-11-23T12:${String(10 + at)}:00.000000Z`;
    await ledger.import(exportOf(source.events.map((e) => ({ ...e, time: time(e.position) }))));
    const fork = ledger.at(7).fork();
    fork.start({ comm: 'late' });
    const nested = fork.at().fork();
    nested.start({ comm: 'later' });
    expect(nested.events.slice(7).map((event) => event.time)).toEqual([time(7), time(7), time(7)]);
    expect(nested.at('2026-11-23T12:17').moment.position).toBe(9);
  });

  test('to a fork of a fork', async () => {
    const ledger = await played(refused);
    const fork = ledger.at().fork();
    const killed = fork.attempt({ operation: 'kill', pid: P1 }).position;
    const nested = fork.at().fork();
    fork.attempt({ operation: 'kill', pid: P2 });
    expect(nested).toMatchObject({ whatIf: true, from: killed });
    expect(nested.attempt(bindOfP2)).toMatchObject(passed);
    expect(fork.at().group('26').owner.kind).toBe('none');
    const before = nested.at(ledger.head.position).fork();
    expect(before.attempt(bindOfP2)).toMatchObject({ errno: 'EPERM' });
    expect(before.start({ comm: 'new' })).toBe(103);
  });

  test('before anything has happened there is nothing to open', async () => {
    const fork = (await played(refused)).at('start').fork();
    expect(fork).toMatchObject({ from: -1, events: [] });
    const pid = fork.start({ comm: 'init' });
    expect(fork.attempt({ operation: 'open_cdev', pid, device: GPU })).toEqual({
      position: 1,
      errno: 'ENOENT',
      cause: 'no-such-node',
    });
  });
});

/** Events as an export has them. */
function exportOf(events: readonly SupposedEvent[]): string {
  const lines = events.map((event) => eventJson(event as RecordedEvent));
  return [...lines, JSON.stringify({ end: { events: lines.length } }), ''].join('\n');
}

describe('what did not happen is no evidence', () => {
  async function supposed() {
    const ledger = await played(refused);
    const fork = ledger.at().fork();
    fork.attempt({ operation: 'kill', pid: P1 });
    return { ledger, fork };
  }

  test('a log does not take an event of a fork', async () => {
    const { ledger, fork } = await supposed();
    const { head } = ledger;
    const events = fork.events.slice(head.position + 1);
    const append = ledger.append(head.position, events);
    await expect(append).rejects.toThrow('id: belongs to a what-if event, which did not happen');
    expect(failureOf(await append.catch((error: unknown) => error)).code).toBe(2);
    await ledger.refresh();
    expect(ledger.head).toEqual(head);
  });

  test('nor the evidence that holds one', async () => {
    const { ledger, fork } = await supposed();
    const { head } = ledger;
    for (const log of [ledger, await openLedger(':memory:')]) {
      const before = log.head;
      const imported = log.import(exportOf(fork.events));
      await expect(imported).rejects.toThrow(`text:${head.position + 2}: id: belongs to a what-if`);
      expect(failureOf(await imported.catch((error: unknown) => error)).code).toBe(2);
      const events = new Spool();
      for (const event of fork.events) await events.add(event as LedgerEvent, false);
      const counts = {
        read: 1,
        unknown: 0,
        passedOver: 0,
        seen: {},
        rejectedCount: 0,
        judgedAs: [],
      };
      const collected = { ...counts, events, rejected: [] };
      await expect(log.record(collected)).rejects.toThrow('which did not happen');
      await log.refresh();
      expect(log.head).toEqual(before);
    }
  });

  test('a fork has no way to export, append or leave out, not even by its type', async () => {
    const { fork } = await supposed();
    // @ts-expect-error -- what has no hash is not recorded
    const recorded: readonly RecordedEvent[] = fork.events;
    // @ts-expect-error -- and a fork is no ledger
    const ledger: Ledger = fork;
    expect([recorded, ledger]).toBeDefined();
    const names: string[] = [];
    for (let of: object = fork; of !== Object.prototype; of = Object.getPrototypeOf(of) as object) {
      names.push(...Object.getOwnPropertyNames(of));
    }
    expect(names).toContain('attempt');
    const ways = /append|record|import|export|drop|remove|omit|delete|refresh/i;
    expect(names.filter((name) => ways.test(name))).toEqual([]);
  });
});

describe('where the evidence does not say', () => {
  test('who owns a group, nobody can say what would become of it', async () => {
    const source = await played(refused);
    const stolen = source.events.map((event): SupposedEvent => {
      if (event.type !== 'operation.refused') return event;
      const data = { pid: P2, fd: 4, iommufd: 3, id: 1 };
      return { ...event, type: 'device.bound', data };
    });
    const ledger = await openLedger(':memory:');
    await ledger.import(exportOf(stolen));
    const fork = ledger.at().fork();
    const before = fork.events.length;
    for (const call of [
      bindOfP2,
      { operation: 'open_group', pid: P1, group: '26' },
      { operation: 'set_driver', device: GPU, driver: null },
    ] satisfies Call[]) {
      expect(() => fork.attempt(call)).toThrow(RequestError);
      expect(() => fork.attempt(call)).toThrow('the owner of group 26 is unknown since position');
    }
    expect(fork.events).toHaveLength(before);
    expect(fork.attempt({ operation: 'close', pid: P2, fd: 4 })).toMatchObject(passed);
    expect(fork.attempt({ operation: 'open_container', pid: P2 })).toMatchObject(passed);
  });

  test('how the host stood, there is no fork before it boots', async () => {
    const store = memoryStore();
    const whole = new Ledger(store, 'host');
    await whole.simulate(refused, { topology, profile: 'linux-7.3' });
    await whole.simulate(refused, { topology, profile: 'linux-7.3' });
    const { position, hash } = whole.event(5)!;
    const rest = new Ledger(store, 'host', {}, { position, hash });
    await rest.refresh();
    const boot = rest.events.find(({ type }) => type === 'host.booted')?.position ?? 0;
    for (const moment of ['start', 6, boot - 1]) {
      expect(() => rest.at(moment).fork()).toThrow(RequestError);
      expect(() => rest.at(moment).fork()).toThrow('this log begins at position 6');
    }
    const fork = rest.at().fork();
    expect(fork.events).toEqual(rest.events);
    const [pid] = fork.events
      .flatMap(({ type, data }) => (type === 'operation.refused' && 'pid' in data ? data.pid : []))
      .slice(-1);
    expect(fork.attempt({ ...bindOfP2, pid: pid ?? -1 })).toMatchObject({ errno: 'EPERM' });
  });
});

const pid = fc.constantFrom(P1, P1, P2, P2, 103, 104);
const fd = fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 3, max: 8 }) }, fc.constant(-1));
const object = fc.integer({ min: 0, max: 6 });
const device = fc.constantFrom(GPU, AUDIO, NIC, '0000:09:00.0');
const group = fc.constantFrom('26', '40', '99');
const comm = fc.constantFrom('P3', 'P4', 'child');
const region = fc.constantFrom(0, 0, 7);
const address = fc.constantFrom(-1, 0x7fff_efff_f000, 0x7fff_efff_e000);
const range = { iova: fc.constantFrom(0x1000, 0x2000), size: fc.constant(4096) };

/** The arguments of every operation. */
const operands: { readonly [O in Call['operation']]: Record<string, fc.Arbitrary<unknown>> } = {
  open_cdev: { pid, device, cloexec: fc.boolean() },
  open_iommufd: { pid },
  open_container: { pid },
  open_group: { pid, group, cloexec: fc.boolean() },
  open_path: {
    pid,
    path: fc.constantFrom('/dev/null', '/nowhere', '/proc/self/fd/3', '/proc/self/fd/4'),
  },
  bind: { pid, fd, iommufd: fd },
  attach: { pid, fd, pt: object },
  detach: { pid, fd },
  alloc_ioas: { pid, fd },
  alloc_hwpt: { pid, fd, device: object, pt: object },
  destroy: { pid, fd, object },
  ioas_map: { pid, fd, ioas: object, ...range },
  compat_ioas: { pid, fd, action: fc.constantFrom('get', 'set', 'clear'), ioas: object },
  set_container: { pid, fd, container: fd },
  unset_container: { pid, fd },
  set_iommu: { pid, fd, iommu: fc.constantFrom(1, 3) },
  api_version: { pid, fd },
  check_extension: { pid, fd, extension: fc.constant(1) },
  map_dma: { pid, fd, ...range },
  group_status: { pid, fd },
  get_device: { pid, fd, device },
  device_info: { pid, fd },
  region_info: { pid, fd, region },
  reset: { pid, fd },
  hot_reset_info: { pid, fd },
  hot_reset: { pid, fd, groups: fc.array(fd, { maxLength: 2 }) },
  read: { pid, fd, region },
  ioctl: { pid, fd, request: fc.constantFrom(0x3b64, 0x3b76, 1) },
  mmap: { pid, fd, region },
  munmap: { pid, mapping: address },
  dup: { pid, fd },
  dup2: { pid, fd, to: fd },
  close: { pid, fd },
  fds: { pid },
  fork: { pid, comm },
  spawn: { comm },
  exec: { pid },
  exit: { pid },
  kill: { pid },
  send: { pid, fd, to: pid },
  set_driver: { device, driver: fc.constantFrom(null, 'vfio-pci', 'e1000e', 'nowhere') },
  bg_wait: {},
};

/** Of calls that end a process there are few, or soon nobody would be left to make one. */
const calls = fc.array(
  fc.oneof(
    ...Object.entries(operands).map(([operation, data]) => ({
      weight: /^(exit|kill|exec)$/.test(operation) ? 1 : 4,
      arbitrary: fc.record({ operation: fc.constant(operation), ...data }) as fc.Arbitrary<Call>,
    })),
  ),
  { minLength: 10, maxLength: 40 },
);

/** Makes those of the calls that somebody is there to make. */
function tryAll(fork: WhatIf, attempts: readonly Call[]): Attempted[] {
  return attempts.flatMap((call) => {
    const before = fork.events.length;
    try {
      return fork.attempt(call);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      expect(fork.events).toHaveLength(before);
      return [];
    }
  });
}

function tables(past: Ledger | WhatIf): unknown[] {
  return past.events.map(({ position }) => past.at(position).table());
}

describe('whatever is tried on a fork', () => {
  test('the log and other forks stay as they are, and the rules are kept', async () => {
    const ledger = await played(`${refused}@P1 close I\nopen_container C\nset_driver nic none\n`);
    const { head, events } = ledger;
    const [recorded, before] = [[...events], tables(ledger)];
    const where = fc.integer({ min: 5, max: head.position });
    fc.assert(
      fc.property(where, calls, calls, (position, ours, theirs) => {
        const fork = ledger.at(position).fork();
        const made = tryAll(fork, ours);
        const [mine, here] = [[...fork.events], tables(fork)];
        const nested = fork.at(position).fork();
        const again = ledger.at(position).fork();
        // What was tried elsewhere has no part in how an attempt goes.
        expect(tryAll(nested, ours)).toEqual(made);
        tryAll(fork.at().fork(), theirs);
        tryAll(again, theirs);
        expect(fork.events).toEqual(mine);
        expect(tables(fork)).toEqual(here);
        expect(ledger.head).toEqual(head);
        expect(ledger.events).toEqual(recorded);
        expect(tables(ledger)).toEqual(before);
        expect(here.slice(0, position + 1)).toEqual(before.slice(0, position + 1));
        const verifier = new Verifier();
        for (const event of fork.events) verifier.take(event);
        expect(verifier.findings).toEqual([]);
      }),
      { numRuns: countOf('forks', { test: 2, soak: 60, full: 600 }) },
    );
  });
});

/** A device in each of its states. */
const lives = {
  'by its cdev': `open_iommufd I
open_cdev A gpu
bind A I
alloc_ioas I X
attach A X
set_driver gpu none
`,
  'by its group': `open_container C
open_group G gpu
set_container G C
set_iommu C
get_device D G gpu
`,
};

test.each(Object.entries(lives))('what the rules let pass machines take, %s', async (_, life) => {
  const ledger = await played(life);
  for (let position = 6; position <= ledger.head.position; position++) {
    for (const [operation, others] of Object.entries(operands)) {
      const asked = fc.record({ operation: fc.constant(operation), ...others });
      for (const [index, data] of fc.sample(asked, { numRuns: 4, seed: position }).entries()) {
        const own = { ...('pid' in data && { pid: P1 }), ...('fd' in data && { fd: 3 + index }) };
        const fork = ledger.at(position).fork();
        tryAll(fork, [{ ...data, ...own } as unknown as Call]);
        const verifier = new Verifier();
        for (const event of fork.events) verifier.take(event);
        expect(verifier.findings, JSON.stringify(data)).toEqual([]);
      }
    }
  }
});

test('a fork is the same, however short the segments are that its past is kept in', async () => {
  const ledger = await played(`${refused}@P1 close I\nopen_container C\nset_driver nic none\n`);
  const where = fc.integer({ min: 5, max: ledger.head.position });
  fc.assert(
    fc.property(where, calls, fc.integer({ min: 1, max: 9 }), (position, attempts, whole) => {
      const timeline = new Timeline<SupposedEvent>({ whole });
      for (const event of ledger.events) timeline.take(event);
      const [fork, cut] = [ledger.at(position).fork(), new WhatIf(timeline, position)];
      expect(tryAll(cut, attempts)).toEqual(tryAll(fork, attempts));
      expect(cut.events).toEqual(fork.events);
      expect(tables(cut)).toEqual(tables(fork));
    }),
    { numRuns: countOf('pasts tried anew', { test: 2, soak: 40, full: 400 }) },
  );
});

/** Tries again what a log shows to have been tried, by the numbers that the fork hands out. */
class Again {
  readonly #fork: WhatIf;
  /** Addresses of mappings by those in the log: a log does not show what else was mapped. */
  readonly #addresses = new Map<number, number>();

  constructor(fork: WhatIf) {
    this.#fork = fork;
  }

  /** Tries an event's call, unless it is the rest of a driver change that was tried before. */
  take(event: RecordedEvent, next: RecordedEvent | undefined): void {
    if (event.position < this.#fork.events.length) return;
    if (event.type === 'process.started') {
      this.#fork.start(event.data);
      return;
    }
    const made = this.#fork.attempt(this.#callOf(event, next));
    if (event.type === 'mapping.created') this.#addresses.set(event.data.mapping, made.id ?? -1);
  }

  #callOf(event: RecordedEvent, next: RecordedEvent | undefined): Call {
    switch (event.type) {
      case 'operation.refused': {
        const { errno: _, ...attempt } = event.data;
        return completed(attempt);
      }
      case 'process.forked':
        return { operation: 'fork', ...event.data };
      case 'process.executed':
        return { operation: 'exec', ...event.data };
      case 'process.exited': {
        const { pid: gone, signal } = event.data;
        return { operation: signal === null ? 'exit' : 'kill', pid: gone };
      }
      case 'descriptor.duplicated': {
        const { pid: by, fd: of, as } = event.data;
        return { operation: 'dup2', pid: by, fd: of, to: as };
      }
      case 'descriptor.passed':
        return { operation: 'send', ...event.data };
      case 'descriptor.closed':
        return { operation: 'close', ...event.data };
      case 'mapping.created':
        return completed({ operation: 'mmap', ...event.data });
      case 'mapping.removed': {
        const { pid: by, mapping } = event.data;
        return { operation: 'munmap', pid: by, mapping: this.#addresses.get(mapping) ?? mapping };
      }
      case 'driver.bound':
        return { operation: 'set_driver', ...event.data };
      case 'driver.unbound':
        return {
          operation: 'set_driver',
          device: event.data.device,
          driver: driverAfter(event.data.device, next),
        };
      case 'driver.unbind-blocked':
        return { operation: 'set_driver', device: event.data.device, driver: event.data.next };
      case 'driver.settled':
        return { operation: 'bg_wait' };
      default: {
        const called = callOf(event);
        if (called === null) throw new Error(`nobody calls for ${event.type}`);
        return completed(called.call);
      }
    }
  }
}

/** The driver that a device goes on to, whose last one has just left. */
function driverAfter(device: string, next: RecordedEvent | undefined): string | null {
  const isRefused = next?.type === 'operation.refused' && next.data.operation === 'set_driver';
  if (next?.type !== 'driver.bound' && !isRefused) return null;
  const change = next.data as CallOf<'set_driver'>;
  return change.device === device ? change.driver : null;
}

/** What is the same of two events, one of them tried. */
function fact({ type, data }: SupposedEvent): unknown {
  const { mapping: _, ...rest } = data as { mapping?: number };
  return { type, data: rest };
}

function ownersAt(past: Ledger | WhatIf, position: number): unknown {
  const { groups } = past.at(position).table();
  return groups.map(({ group: of, owner, ownerCount, since }) => ({
    of,
    owner,
    ownerCount,
    since,
  }));
}

/** So many sequences of a recording are played. */
const SEQUENCES = countOf('sequences tried on a fork', { test: 12, soak: 60 });

/**
 * What a log does not show of a call is left out: that a node was opened through a descriptor, and
 * what was mapped for DMA.
 */
const unseen = /^open_path \S+ \/proc\/self\/fd\/|^(ioas_map|map_dma) /;

/** Sequences of a recording, evenly chosen, and played. */
async function simulated(profile: Profile, name: string): Promise<Ledger> {
  const { topology: host, answers } = recording(profile, name);
  const sequences = new Map<string, string[]>();
  for (const { seq, p, op } of answers) {
    const lines = sequences.get(seq) ?? [`seq ${seq}`];
    sequences.set(seq, lines);
    if (!unseen.test(op)) lines.push(/^P\d$/.test(p) ? `@${p} ${op}` : op);
  }
  const every = Math.ceil(sequences.size / SEQUENCES);
  const chosen = [...sequences.values()].filter((_, index) => index % every === 0);
  const ledger = await openLedger(':memory:');
  await ledger.simulate(chosen.flat().join('\n'), { topology: host, profile });
  return ledger;
}

const suites = ['ownership', 'conformance', 'drivers', 'flows'];
const hosts = suites.flatMap((suite) => kernelsAsked(suite).map((kernel) => ({ kernel, suite })));

const some = someOf(hosts, 8);

describe.each(some)('the $suite as $kernel would have them', ({ kernel, suite }) => {
  test('go the same way on a fork, call by call', async () => {
    const ledger = await simulated(kernel, suite);
    const { events } = ledger;
    const boots = events.flatMap(({ type, position }) => (type === 'host.booted' ? position : []));
    for (const [index, boot] of boots.entries()) {
      const end = boots[index + 1] ?? events.length;
      const found = events.findIndex(
        ({ type }, at) => at > boot && type !== 'device.added' && type !== 'host.booted',
      );
      // Somewhere after the devices have been found, and each time somewhere else.
      const from = found - 1 + ((index * 7) % Math.max(end - found, 1));
      const fork = ledger.at(from).fork();
      const again = new Again(fork);
      for (let at = from + 1; at < end; at++) {
        const event = events[at]!;
        // Its gap follows: a kernel that has died answers nothing.
        if (event.type === 'gap.noticed') break;
        if (event.type === 'host.died') {
          const dying = () => fork.attempt({ operation: 'set_driver', ...event.data });
          expect(dying).toThrow(expect.objectContaining({ code: 'unsupported' }));
          break;
        }
        again.take(event, events[at + 1]);
        expect(fact(fork.event(at)!)).toEqual(fact(event));
        expect(ownersAt(fork, at)).toEqual(ownersAt(ledger, at));
      }
    }
  });
});
