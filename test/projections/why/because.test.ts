import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hostHistory } from '../../../bench/host.ts';
import type { Attempt, CallOf, Fact, LedgerEvent, Placed } from '../../../events/vocabulary.ts';
import { readEvidence } from '../../../ledger.ts';
import {
  becauseAmong,
  becauseOf,
  judgeOf,
  slicedTrials,
} from '../../../projections/why/because.ts';
import type { JudgedRefusal } from '../../../projections/why/counterfactual.ts';
import { causeAt } from '../../../projections/why/refusals.ts';
import { eventsOfBoot, ReadEvents } from '../../../projections/why/played-events.ts';
import { Trials } from '../../../projections/why/trials.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { countOf, isCampaign } from '../../support/effort.ts';
import { PlainTrials } from '../../support/plain-trials.ts';
import { calledHost, played } from '../../support/random-calls.ts';
import { placed } from '../../support/random-logs.ts';
import { recordings, textOf } from '../../support/truth.ts';
import { unseenCalls } from '../../support/unseen-hosts.ts';

const inTheCall = new Set(['malformed-argument', 'unsupported', 'not-ownership', 'unknown']);
const ofDrivers = new Set(['set_driver', 'bg_wait']);

function timelineOf(events: Iterable<Placed<LedgerEvent>>): Timeline<Placed<LedgerEvent>> {
  const timeline = new Timeline<Placed<LedgerEvent>>({ whole: 500 });
  for (const event of events) timeline.take(event);
  return timeline;
}

/** Every refusal whose cause an event can have made. */
function refusalsIn(timeline: Timeline): JudgedRefusal[] {
  return timeline.events.flatMap(({ type, data, position }) => {
    if (type !== 'operation.refused') return [];
    const { cause, blocker } = causeAt(timeline, position);
    if (inTheCall.has(cause)) return [];
    return [{ position, call: data as Attempt, cause, blocker: blocker?.file ?? null }];
  });
}

/** Compares what is answered with the whole boot played for every candidate. */
function compare(timeline: Timeline, refused: JudgedRefusal): void {
  const { position, call, cause } = refused;
  const name = `${position} ${call.operation}: ${cause}`;
  const plain = plainly(timeline, refused);
  expect(becauseOf(timeline, refused), name).toEqual(plain);
  for (const events of [
    eventsOfBoot(timeline, position - 1),
    new ReadEvents(timeline, position - 1),
  ]) {
    const whole = new Trials(events, judgeOf(refused), call);
    expect(becauseAmong(timeline, refused, whole), `${name}, whole`).toEqual(plain);
  }
  const sliced = slicedTrials(timeline, refused);
  expect(sliced && becauseAmong(timeline, refused, sliced), `${name}, sliced`).toEqual(plain);
}

function plainly(timeline: Timeline, refused: JudgedRefusal): number[] {
  const { position } = refused;
  const events = [...timeline.between(timeline.bootBefore(position - 1), position - 1)];
  return becauseAmong(timeline, refused, new PlainTrials(events, judgeOf(refused)));
}

/** The long recordings are compared in campaigns alone. */
const compared = isCampaign
  ? recordings()
  : recordings().filter(([, name]) => ['drivers', 'ownership', 'questions'].includes(name));

test.each(compared)(
  'refusals recorded on %s, in %s, are because of what plain trials find',
  async (profile, name) => {
    const collected = await readEvidence([{ name, chunks: [textOf(profile, name)] }]);
    const timeline = timelineOf(placed(await collected.events.all()));
    const refusals = refusalsIn(timeline);
    expect(refusals.length).toBeGreaterThan(0);
    const count = countOf('recorded refusals tried plainly', { test: 10, soak: 200, full: 10_000 });
    const changes = refusals.filter(({ call }) => ofDrivers.has(call.operation));
    for (const some of [changes, refusals]) {
      const every = Math.max(1, Math.ceil(some.length / count));
      for (const refused of some.filter((_, index) => index % every === 0)) {
        compare(timeline, refused);
      }
    }
  },
);

/** Tries to rebind every device in use; waits, and closes its files. */
function rebindAll(timeline: Timeline<Placed<LedgerEvent>>): void {
  const { host } = timeline;
  const take = (fact: Fact) => {
    const position = timeline.head + 1;
    timeline.take({ ...fact, id: `e${position}`, time: null, position } as Placed<LedgerEvent>);
  };
  const attempt = (call: CallOf<'set_driver' | 'bg_wait'>) => {
    const refusal = host.judge(call);
    if (refusal === null) return;
    take({ type: 'operation.refused', data: { ...call, errno: refusal.errno } });
  };
  for (const { device, driver } of host.devices()) {
    const files = [...host.files()].filter((file) => file.device === device);
    if (driver === null || files.length === 0) continue;
    const rebind = { operation: 'set_driver', device, driver: 'nvme' } as const;
    const waiter = { pid: null, comm: 'driverctl' };
    attempt(rebind);
    take({ type: 'driver.unbind-blocked', data: { device, driver, next: 'nvme', waiter } });
    attempt(rebind);
    for (const { pid, fd, via } of files.flatMap(({ id }) => host.holders(id))) {
      if (via === 'fd' && fd !== null) take({ type: 'descriptor.closed', data: { pid, fd } });
    }
    attempt({ operation: 'bg_wait' });
    const now = host.device(device)?.driver ?? null;
    take({ type: 'driver.settled', data: { device, driver: now } });
  }
}

test('what concerns a change of a driver decides as the whole boot does', () => {
  const counts = { set_driver: 0, bg_wait: 0 };
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.integer({ min: 300, max: 600 }),
      (seed, count) => {
        const timeline = timelineOf(placed([...hostHistory(count, seed)]));
        rebindAll(timeline);
        for (const operation of ['set_driver', 'bg_wait'] as const) {
          const refusals = refusalsIn(timeline).filter(({ call, position }) => {
            return call.operation === operation && position >= count;
          });
          for (const refused of refusals.slice(-2)) {
            compare(timeline, refused);
            counts[operation]++;
          }
        }
      },
    ),
    { numRuns: countOf('hosts rebound', { test: 4, soak: 40, full: 300 }), seed: 20261130 },
  );
  expect(counts.set_driver).toBeGreaterThan(3);
  expect(counts.bg_wait).toBeGreaterThan(0);
});

test('whatever is refused on a host that is busy, what concerns it decides as the whole boot does', () => {
  let compared = 0;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
      const timeline = timelineOf(placed([...hostHistory(600, seed)]));
      for (const refused of refusalsIn(timeline).slice(-5)) {
        compare(timeline, refused);
        compared++;
      }
    }),
    { numRuns: countOf('hosts tried plainly', { test: 4, soak: 60, full: 500 }), seed: 20261130 },
  );
  expect(compared).toBeGreaterThan(10);
});

test('whatever is refused where devices come and go, what concerns it decides as the whole boot does', () => {
  let compared = 0;
  fc.assert(
    fc.property(calledHost({ min: 40, max: 250 }), (log) => {
      const timeline = timelineOf(log);
      const ofNodes = refusalsIn(timeline).filter(({ cause }) => cause === 'no-such-node');
      for (const refused of ofNodes.slice(-8)) {
        const sliced = slicedTrials(timeline, refused);
        if (sliced === null) continue;
        const name = `${refused.position} ${refused.call.operation}`;
        expect(becauseAmong(timeline, refused, sliced), name).toEqual(plainly(timeline, refused));
        compared++;
      }
    }),
    { numRuns: countOf('hosts unplugged', { test: 12, soak: 120, full: 1200 }), seed: 20261130 },
  );
  expect(compared).toBeGreaterThan(5);
});

test('what concerns a change of a driver decides as the whole of a boot does that nobody saw', () => {
  let compared = 0;
  fc.assert(
    fc.property(unseenCalls, (log) => {
      const timeline = timelineOf(log);
      for (const refused of refusalsIn(timeline)) {
        if (!ofDrivers.has(refused.call.operation)) continue;
        const sliced = slicedTrials(timeline, refused);
        if (sliced === null) continue;
        expect(becauseAmong(timeline, refused, sliced)).toEqual(plainly(timeline, refused));
        compared++;
      }
    }),
    { numRuns: countOf('unseen hosts rebound', { test: 8, soak: 80, full: 800 }), seed: 20261130 },
  );
  expect(compared).toBeGreaterThan(5);
});

const boot = { boot: 'b', profile: null, simulated: true };
const added = { name: null, group: '1', model: null, driver: 'vfio-pci' };
const [first, second] = ['0000:01:00.0', '0000:01:00.1'];
const disk = { device: '0000:02:00.0', group: '2', driver: 'nvme', cdev: null };
const qemu = { pid: 100, comm: 'qemu', cgroup: null };

/** What an event that is left out leaves behind ends at a later event of another file. */
const leftovers: readonly (readonly [string, readonly Fact[]])[] = [
  [
    'an exec that closed copies of a descriptor, and then the exit of its process',
    [
      { type: 'host.booted', data: { ...boot, kernel: '7.3.4', iommufd: true } },
      { type: 'device.added', data: { ...added, device: first, cdev: 'vfio0' } },
      { type: 'device.added', data: { ...added, device: second, cdev: 'vfio1' } },
      { type: 'device.added', data: { ...added, ...disk } },
      { type: 'process.started', data: qemu },
      { type: 'iommufd.opened', data: { pid: 100, fd: 3, cloexec: true } },
      { type: 'device.opened', data: { pid: 100, fd: 4, device: first, cloexec: true } },
      { type: 'device.bound', data: { pid: 100, fd: 4, iommufd: 3, id: 1 } },
      { type: 'device.opened', data: { pid: 100, fd: 5, device: second, cloexec: true } },
      { type: 'device.bound', data: { pid: 100, fd: 5, iommufd: 3, id: 2 } },
      { type: 'process.forked', data: { pid: 100, child: 200, comm: 'helper' } },
      { type: 'process.executed', data: { pid: 200 } },
      { type: 'process.exited', data: { pid: 200, signal: null } },
      {
        type: 'driver.unbind-blocked',
        data: {
          device: first,
          driver: 'vfio-pci',
          next: 'nvme',
          waiter: { pid: null, comm: 'driverctl' },
        },
      },
      { type: 'descriptor.closed', data: { pid: 100, fd: 4 } },
      { type: 'operation.refused', data: { operation: 'bg_wait', errno: 'EBUSY' } },
    ],
  ],
  [
    'a close, and then an open that reuses the descriptor',
    [
      { type: 'host.booted', data: { ...boot, kernel: '6.1.0', iommufd: false } },
      { type: 'device.added', data: { ...added, device: first, cdev: null } },
      { type: 'process.started', data: qemu },
      { type: 'group.opened', data: { pid: 100, fd: 3, group: '1', cloexec: false } },
      { type: 'container.opened', data: { pid: 100, fd: 4, cloexec: false } },
      { type: 'container.set', data: { pid: 100, fd: 3, container: 4 } },
      { type: 'descriptor.closed', data: { pid: 100, fd: 4 } },
      { type: 'container.opened', data: { pid: 100, fd: 4, cloexec: false } },
      { type: 'descriptor.duplicated', data: { pid: 100, fd: 3, as: 4 } },
      {
        type: 'operation.refused',
        data: { operation: 'set_iommu', pid: 100, fd: 4, iommu: 3, errno: 'ENOTTY' },
      },
    ],
  ],
];

/** What is left out keeps something there that a later event would have ended. */
const unplugged: readonly (readonly [string, readonly Fact[]])[] = [
  [
    'the driver that a device lost after it was unplugged',
    [
      { type: 'host.booted', data: { ...boot, kernel: '6.1.0', iommufd: false } },
      { type: 'device.added', data: { ...added, device: first, cdev: null } },
      { type: 'process.started', data: qemu },
      { type: 'device.removed', data: { device: first } },
      { type: 'driver.unbound', data: { device: first, driver: 'vfio-pci' } },
      {
        type: 'operation.refused',
        data: { operation: 'open_group', pid: 100, group: '1', cloexec: false, errno: 'ENOENT' },
      },
    ],
  ],
  [
    'that an unplugged device came back in another group',
    [
      { type: 'host.booted', data: { ...boot, kernel: '6.1.0', iommufd: false } },
      { type: 'device.added', data: { ...added, device: first, cdev: null } },
      { type: 'process.started', data: qemu },
      { type: 'device.removed', data: { device: first } },
      { type: 'device.added', data: { ...added, device: first, group: '3', cdev: null } },
      {
        type: 'operation.refused',
        data: { operation: 'open_group', pid: 100, group: '1', cloexec: false, errno: 'ENOENT' },
      },
    ],
  ],
];

test.each([...leftovers, ...unplugged])('a slice has %s', (_name, facts) => {
  const timeline = timelineOf(placed(facts));
  const refusals = refusalsIn(timeline);
  expect(refusals).toHaveLength(1);
  for (const refused of refusals) compare(timeline, refused);
});

/** A driver change that is refused and collected; then nothing that matters, for a long time. */
const collected = `set_driver d3 vfio-pci; @P2 open_iommufd I; @P2 open_cdev B d4; @P2 bind B I;
  open_cdev A d3; set_driver d3 e1000e; close A; bg_wait; @P2 close B; @P2 close I${'; open_container C; close C'.repeat(150)}`
  .split(';')
  .map((line) => line.trim());

/** Statements after it, the last of which is refused, and the type of the event that decides. */
const late = {
  'a device is bound in the group': [
    ['@P3 open_iommufd I', '@P3 open_cdev B d4', '@P3 bind B I', '@P4 open_cdev D d4'],
    ['@P5 open_group G d4'],
    'device.bound',
  ],
  'devices of that group and of another are attached': [
    [
      '@P3 open_iommufd I',
      '@P3 alloc_ioas I X',
      '@P3 open_cdev B d4',
      '@P3 bind B I',
      '@P3 attach B X',
      '@P3 open_cdev D d2',
      '@P3 bind D I',
      '@P3 attach D X',
    ],
    ['@P3 destroy I X'],
    'device.attached',
  ],
  'another driver change waits': [
    ['@P3 open_cdev B d2', 'set_driver d2 none'],
    ['set_driver d0 none'],
    'driver.unbind-blocked',
  ],
} as const;

test.each(Object.entries(late))(
  'a slice decides as the whole boot does after a driver change that waited: %s',
  (_, [before, refusedThen, type]) => {
    const timeline = timelineOf(placed(played([...collected, ...before, ...refusedThen])));
    const refused = refusalsIn(timeline).at(-1)!;
    expect(refused.position).toBe(timeline.head);
    const [because] = becauseOf(timeline, refused);
    expect(timeline.at(because ?? -1)?.type).toBe(type);
    compare(timeline, refused);
  },
);

test('no event decides a call that the rules would not have refused', () => {
  const timeline = timelineOf(placed(played(['open_cdev A d2', 'close A'])));
  const call = { operation: 'open_group', pid: 101, group: '2', cloexec: false } as const;
  const position = timeline.head + 1;
  const cause = 'group-already-open';
  expect(becauseOf(timeline, { position, call, cause, blocker: null })).toEqual([]);
});
